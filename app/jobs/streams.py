"""Room for event streams, each of which asks the database twice a second until its job ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from fastapi import Request

from app.core import access
from app.core.errors import StreamsBusy

MAX_STREAMS = 200
MAX_STREAMS_OF_ONE = 50
"""Of a process: in all, and of one key or one address without a key."""

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
