"""Greedy micro-batching: what waits when the searcher becomes free is searched together. No timer, no delay.

One query alone is searched at once. Under load a batch shares each pass over the vectors, which is what a scan spends
its time on. Of many that wait only half are taken: were it all, the loop that reads requests and writes answers would
have nothing to do during the search, and the searcher nothing while all are answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

import numpy as np

from app.core.nearest.proposals import Allowed
from app.core.nearest.scores import DoubleArray
from app.core.table.manifest import GraphSearch
from app.serving.index import Index, fetch_size
from app.serving.searchers import Searchers

MAX_BATCH = 64
FULL_BATCH = 16
"""From here on a query more in a batch saves little."""

Found = tuple[list[int], list[float]]


@dataclass(frozen=True, eq=False)
class _Query:
    direction: DoubleArray
    fetch: int
    graph: GraphSearch | None
    allowed: Allowed | None
    answer: asyncio.Future[Found]

    def fits(self, other: _Query) -> bool:
        return self.fetch == other.fetch and self.graph == other.graph


class Batcher:
    """Queries of one index, one batch at a time. Belongs to one event loop."""

    def __init__(self, index: Index, pool: Searchers) -> None:
        self._index = index
        self._pool = pool
        self._waiting: deque[_Query] = deque()
        self._is_searching = False  # read and written by the loop alone

    async def nearest(
        self, direction: DoubleArray, k: int, graph: GraphSearch | None = None, allowed: Allowed | None = None
    ) -> Found:
        """Ids and scores of at least the `k` best, best first; -1 and -inf at the end if there are fewer.

        By a scan without `graph`; only a scan can be told which words are `allowed`.

        Raises
        ------
        Overloaded
            Too many queries wait.
        """
        with self._pool.place():
            loop = asyncio.get_running_loop()
            return await self._queued(_Query(direction, fetch_size(k), graph, allowed, loop.create_future()), loop)

    async def _queued(self, query: _Query, loop: asyncio.AbstractEventLoop) -> Found:
        self._waiting.append(query)
        if not self._is_searching:
            self._start(loop)
        return await query.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_searching = True
        self._pool.submit(self._search_next, loop)

    def _pause(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_searching = False
        if self._waiting:
            self._start(loop)

    def _search_next(self, loop: asyncio.AbstractEventLoop) -> None:
        """On a search thread: one batch, and the next one at once if enough wait for it.

        If fewer do, the loop first reads what has come meanwhile. Each batch is a task of its own, so that versions
        that share the threads take turns.
        """
        batch = self._next_batch()
        try:
            loop.call_soon_threadsafe(_answer, batch, self._search(batch) if batch else [])
        except Exception as error:
            loop.call_soon_threadsafe(_refuse, batch, error)
        if len(self._waiting) >= FULL_BATCH:
            self._pool.submit(self._search_next, loop)
        else:
            loop.call_soon_threadsafe(self._pause, loop)

    def _next_batch(self) -> list[_Query]:
        """Take the queries that can go with the oldest one; those whose client has left are dropped."""
        batch: list[_Query] = []
        others: list[_Query] = []
        most = min(max(FULL_BATCH, len(self._waiting) // 2), MAX_BATCH)
        while self._waiting and len(batch) < most:
            query = self._waiting.popleft()
            if query.answer.cancelled():
                continue
            (batch if not batch or query.fits(batch[0]) else others).append(query)
        self._waiting.extendleft(reversed(others))
        return batch

    def _search(self, batch: list[_Query]) -> list[Found]:
        directions = np.stack([query.direction for query in batch])
        allowed = [query.allowed for query in batch] if any(query.allowed for query in batch) else []
        ids, scores = self._index.nearest(directions, batch[0].fetch, batch[0].graph, allowed)
        return list(zip(ids.tolist(), scores.tolist(), strict=True))


def _answer(batch: list[_Query], found: list[Found]) -> None:
    for query, answer in zip(batch, found, strict=True):
        if not query.answer.done():
            query.answer.set_result(answer)


def _refuse(batch: list[_Query], error: Exception) -> None:
    for query in batch:
        if not query.answer.done():
            query.answer.set_exception(error)
