"""The threads that search, and the one queue before them: of all versions, for whatever is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import Counter, Gauge

from app.core.errors import Overloaded

PLACES = 1024
ALONE = 4
"""Places of what has a thread for itself; a query that others are searched with has one."""

TAKEN = Gauge("wordkin_search_queue_places", "Places taken in the queue of searches")
REFUSED = Counter("wordkin_searches_refused_total", "Searches that were refused because the queue was full")

T = TypeVar("T")


class Searchers(ThreadPoolExecutor):
    """So many threads, and a queue of so many places. Belongs to one event loop, which alone counts the places."""

    def __init__(self, n_threads: int, n_places: int = PLACES) -> None:
        super().__init__(n_threads, "search")
        self.n_places = n_places
        self.n_taken = 0
        TAKEN.set_function(lambda: self.n_taken)

    @contextmanager
    def place(self, n_places: int = 1) -> Iterator[None]:
        """Hold places from the question to its answer; raises `Overloaded` if there are none left."""
        if self.n_taken + n_places > self.n_places:
            REFUSED.inc()
            raise Overloaded
        self.n_taken += n_places
        try:
            yield
        finally:
            self.n_taken -= n_places

    async def run(self, work: Callable[[], T]) -> T:
        """Do it on a search thread when it is its turn; what nobody waits for any more is not begun."""
        with self.place(ALONE):
            return await asyncio.get_running_loop().run_in_executor(self, work)

    async def beside(self, work: Callable[[], T]) -> T:
        """Do it on another thread: who searches with known words does not wait for this."""
        with self.place(ALONE):
            return await asyncio.to_thread(work)
