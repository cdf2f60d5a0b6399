"""What happens to jobs, for all streams of a process: one look at the database serves them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import structlog
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from app.core import access
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.records import Job, JobState
from app.core.watching import events

POLL_SECONDS = 0.5
CALLER_SECONDS = 5.0
"""How often a stream on which nothing happens looks whether its key is still good."""

logger = structlog.get_logger()


class Told(NamedTuple):
    """A job at one of its events, or, without a number, how far it is between two."""

    number: int | None
    model: str | None
    state: JobState
    content: str

    @classmethod
    def of(cls, number: int | None, job: Job) -> Told:
        from app.jobs.described import JobDescription  # noqa: PLC0415 (only who watches jobs needs it)

        return cls(number, job.model, JobState(job.state), JobDescription.of(job).model_dump_json())


class Listener:
    """One stream: the events up to `known.number` it has, and of what lies between two it was last told `known`."""

    def __init__(self) -> None:
        self.known: Told | None = None
        self._waiting: asyncio.Queue[Told | None] = asyncio.Queue()

    def put(self, told: Told | None) -> None:
        """Tell a stream something; none that this was all. How far a job is waits behind nothing else."""
        if told is None or told.number is not None or self._waiting.empty():
            self._waiting.put_nowait(told)

    async def told(self) -> AsyncIterator[Told]:
        """What happens from now on, as long as the caller may know it."""
        caller, number, content = access.current(), 0, ""
        if self.known:
            number, content = self.known.number or 0, self.known.content
        while not caller.is_over:
            try:
                told = await asyncio.wait_for(self._waiting.get(), CALLER_SECONDS)
            except TimeoutError:
                continue
            if told is None or not caller.sees(told.model):
                return
            is_new = told.content != content if told.number is None else told.number > number
            if is_new:
                number, content = told.number or number, told.content
                yield told


class _Watched:
    """A job that streams follow: up to which event it was looked at, and what was last told of it."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.content = ""
        self.listeners: set[Listener] = set()


class Feed:
    """Looks now and then at the jobs that streams follow, while there are any. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watched: dict[str, _Watched] = {}
        self._looking: asyncio.Task[None] | None = None
        self._has_ended = False

    @contextmanager
    def listening(self, job_id: str) -> Iterator[Listener]:
        """Be told of a job. Who then reads what has happened until now, and calls `go_on`, misses nothing."""
        watched = self._watched.setdefault(job_id, _Watched())
        listener = Listener()
        watched.listeners.add(listener)
        try:
            yield listener
        finally:
            watched.listeners.remove(listener)
            if not watched.listeners:
                del self._watched[job_id]

    def go_on(self, job_id: str, listener: Listener, known: Told) -> None:
        """Tell a stream what comes after an event, up to which it knows all."""
        watched = self._watched[job_id]
        listener.known = known
        if watched.number is None:
            watched.number = known.number
        if self._has_ended:
            listener.put(None)
        elif self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_now_and_then())

    def end(self) -> None:
        """End all streams, and those that come: the process ends, and another one goes on with them."""
        self._has_ended = True
        if self._looking:
            self._looking.cancel()
        for watched in self._watched.values():
            for listener in watched.listeners:
                listener.put(None)

    async def _look_now_and_then(self) -> None:
        while self._watched and not self._has_ended:
            await asyncio.sleep(POLL_SECONDS)
            known = {job_id: each.number for job_id, each in self._watched.items() if each.number is not None}
            try:
                found = await run_in_threadpool(self._look, known)
            except DatabaseUnavailable:
                continue  # jobs go on meanwhile, and so do streams
            except Exception as error:
                logger.exception("jobs not looked at", action="feed_failed", exc_info=error)
                continue
            for job_id in known:
                self._tell(job_id, found.get(job_id))

    def _look(self, known: Mapping[str, int]) -> dict[str, Sequence[Told]]:
        """Of each job that is still there the events that are not known, or else where it is."""
        with self._database.reading() as session:
            jobs = session.scalars(select(Job).where(Job.id.in_(known))).all()
            new = [(job, events.since(session, job, known[job.id])) for job in jobs]
            return {job.id: [Told.of(*each) for each in found] or [Told.of(None, job)] for job, found in new}

    def _tell(self, job_id: str, found: Sequence[Told] | None) -> None:
        watched = self._watched.get(job_id)
        if watched is None:
            return
        for told in found if found is not None else [None]:
            if told and told.content == watched.content and told.number is None:
                continue
            if told:
                watched.number = told.number or watched.number
                watched.content = told.content
            for listener in watched.listeners:
                listener.put(told)
