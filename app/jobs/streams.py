"""Streams of what happens to a job: where each begins, and room for so many."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Annotated, NamedTuple, cast

from fastapi import Depends, Header, HTTPException, Request
from fastapi.sse import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.core import access, jobs
from app.core.database import Database
from app.core.errors import StreamsBusy
from app.core.watching import events
from app.jobs.feed import Feed, Listener, Told
from app.web.dependencies import DatabaseDependency

MAX_STREAMS = 200
MAX_STREAMS_OF_ONE = 50
"""Of a process: in all, and of one key or one address without a key."""
RETRY_MILLISECONDS = 2000
"""After which a browser asks again when a stream was cut."""
END = "end"
MAX_DIGITS = 9

_open: Counter[str] = Counter()


async def room(request: Request) -> AsyncIterator[None]:
    """Be one of the open streams until the answer has ended; raise `StreamsBusy` if there are enough."""
    who = access.current().key_id or (request.client.host if request.client else "")
    if _open.total() >= MAX_STREAMS or _open[who] >= MAX_STREAMS_OF_ONE:
        raise StreamsBusy
    _open[who] += 1
    try:
        yield
    finally:
        _open[who] -= 1
        if not _open[who]:
            del _open[who]


class Beginning(NamedTuple):
    """What a stream tells at once, where the job is then, and what tells it the rest."""

    told: Sequence[Told]
    now: Told
    listener: Listener


async def beginning(
    request: Request,
    id: str,  # noqa: A002 (the path's own name)
    database: DatabaseDependency,
    _room: Annotated[None, Depends(room)],
    last_event_id: Annotated[
        str | None, Header(description="the last event of an earlier stream; 0 for all that are kept")
    ] = None,
) -> AsyncIterator[Beginning]:
    """Begin a stream where an earlier one was cut, or with where the job is now.

    A browser that has the `end` already is answered 204: by that alone its EventSource asks no more.
    """
    feed = cast("Feed", request.app.state.feed)
    with feed.listening(id) as listener:
        told, now = await run_in_threadpool(_until_now, database, id, last_event_id)
        if last_event_id == END and now.state in jobs.ENDED:
            raise HTTPException(HTTPStatus.NO_CONTENT)
        feed.go_on(id, listener, now)
        yield Beginning(told, now, listener)


def _until_now(database: Database, job_id: str, last_event_id: str | None) -> tuple[Sequence[Told], Told]:
    """What has happened since an event, or where the job is if it has no such event; and the newest event."""
    with database.reading() as session:
        job = jobs.get(session, job_id)
        now = Told.of(job.n_events, job)
        is_number = last_event_id and last_event_id.isascii() and last_event_id.isdecimal()
        if not is_number or len(last_event_id or "") > MAX_DIGITS or int(last_event_id or 0) > job.n_events:
            return [now], now
        return [Told.of(*event) for event in events.since(session, job, int(last_event_id or 0))], now


def event_of(told: Told) -> ServerSentEvent:
    """An event as it is sent; what lies between two has no id, so that a stream that is cut there loses nothing."""
    event_id = None if told.number is None else str(told.number)
    return ServerSentEvent(raw_data=told.content, event=told.state.value, id=event_id, retry=RETRY_MILLISECONDS)
