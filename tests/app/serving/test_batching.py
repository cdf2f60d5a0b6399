from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import Overloaded
from app.core.nearest.proposals import Allowed
from app.core.nearest.scores import DoubleArray
from app.core.table.manifest import GraphSearch
from app.core.table.reading import open_table
from app.serving.batching import Batcher
from app.serving.index import Index, fetch_size, open_index
from app.serving.searchers import Searchers
from tests.published import random_vectors, write_version

GRAPH = GraphSearch(ef_search=32, recall_at_10=1.0, query_milliseconds=1.0)
Found = tuple[np.ndarray, np.ndarray]


class Watched(Index):
    """Counts what each search was given, and waits for the first one to be let go."""

    batches: list[tuple[int, int, GraphSearch | None]]
    gate: threading.Event

    def watch(self) -> Watched:
        object.__setattr__(self, "batches", [])
        object.__setattr__(self, "gate", threading.Event())
        return self

    def nearest(
        self, directions: DoubleArray, k: int, graph: GraphSearch | None, allowed: Sequence[Allowed | None] = ()
    ) -> Found:
        self.batches.append((len(directions), k, graph))
        assert self.gate.wait(10)
        return super().nearest(directions, k, graph, allowed)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("table")
    write_version(folder, [f"w{i}" for i in range(400)], random_vectors(400, 6))
    return open_index(open_table(folder))


def directions(index: Index) -> list[DoubleArray]:
    return list(index.table.unit_vectors[:].astype(np.float64))


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until `condition` comes true."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("k", "size"), [(1, 16), (16, 16), (17, 32), (64, 64), (1003, 1024)])
def test_fetch_size(k: int, size: int) -> None:
    assert fetch_size(k) == size


def test_what_waits_is_searched_together_and_alike(index: Index) -> None:
    """The first goes alone; those that came meanwhile go together, apart by fetch size and kind of search."""
    watched = Watched(index.table, index.graph).watch()
    asked = directions(index)

    async def run(pool: Searchers) -> list[tuple[list[int], list[float]]]:
        batcher = Batcher(watched, pool)
        first = asyncio.create_task(batcher.nearest(asked[0], 10))
        await until(lambda: watched.batches)
        others = [asyncio.create_task(batcher.nearest(asked[i], 100 if i == 7 else 10)) for i in range(1, 12)]
        others.append(asyncio.create_task(batcher.nearest(asked[12], 10, GRAPH)))
        await until(lambda: len(batcher._waiting) == 12)
        watched.gate.set()
        return await asyncio.gather(first, *others)

    with Searchers(1) as pool:
        found = asyncio.run(run(pool))
    assert watched.batches == [(1, 16, None), (10, 16, None), (1, 128, None), (1, 16, GRAPH)]
    assert [ids[0] for ids, _ in found] == list(range(13)), "each gets its own answer"
    assert len(found[7][0]) == 128


def test_what_is_filtered_is_searched_together_with_the_rest(index: Index) -> None:
    watched = Watched(index.table, index.graph).watch()
    asked = directions(index)
    filters = [None, Allowed(40), Allowed(400, np.arange(399, 200, -1)), Allowed(400, np.array([7, 3])), None]

    async def run(pool: Searchers) -> list[tuple[list[int], list[float]]]:
        batcher = Batcher(watched, pool)
        first = asyncio.create_task(batcher.nearest(asked[0], 10))
        await until(lambda: watched.batches)
        together = [batcher.nearest(asked[i], 10, None, allowed) for i, allowed in enumerate(filters)]
        others = [asyncio.create_task(each) for each in together]
        await until(lambda: len(batcher._waiting) == len(filters))
        watched.gate.set()
        return (await asyncio.gather(first, *others))[1:]

    with Searchers(1) as pool:
        found = asyncio.run(run(pool))
    assert [n for n, _, _ in watched.batches] == [1, 5]
    for i, (allowed, answer) in enumerate(zip(filters, found, strict=True)):
        alone = index.nearest(asked[i][None], 16, None, [allowed])
        assert answer == (alone[0][0].tolist(), alone[1][0].tolist())
    assert found[3][0][:3] in ([3, 7, -1], [7, 3, -1])


def test_of_many_that_wait_half_are_taken(index: Index) -> None:
    """So that those who were answered can be written to while the others are searched for; none is left behind."""
    watched = Watched(index.table, index.graph).watch()
    asked = directions(index)

    async def run(pool: Searchers) -> None:
        batcher = Batcher(watched, pool)
        first = asyncio.create_task(batcher.nearest(asked[0], 10))
        await until(lambda: watched.batches)
        others = [asyncio.create_task(batcher.nearest(asked[i % len(asked)], 10)) for i in range(60)]
        await until(lambda: len(batcher._waiting) == 60)
        watched.gate.set()
        await asyncio.gather(first, *others)

    with Searchers(1) as pool:
        asyncio.run(run(pool))
    assert [n for n, _, _ in watched.batches] == [1, 30, 16, 14]


def test_queries_of_clients_that_left_are_not_searched(index: Index) -> None:
    watched = Watched(index.table, index.graph).watch()
    asked = directions(index)

    async def run(pool: Searchers) -> None:
        batcher = Batcher(watched, pool)
        first = asyncio.create_task(batcher.nearest(asked[0], 10))
        await until(lambda: watched.batches)
        gone = asyncio.create_task(batcher.nearest(asked[1], 10))
        stays = asyncio.create_task(batcher.nearest(asked[2], 10))
        await until(lambda: len(batcher._waiting) == 2)
        gone.cancel()
        watched.gate.set()
        await asyncio.gather(first, stays)

    with Searchers(1) as pool:
        asyncio.run(run(pool))
    assert [size for size, _, _ in watched.batches] == [1, 1]


def test_too_many_waiting_are_refused_at_once(index: Index) -> None:
    watched = Watched(index.table, index.graph).watch()
    asked = directions(index)

    async def run(pool: Searchers) -> None:
        batcher = Batcher(watched, pool)
        tasks = [asyncio.create_task(batcher.nearest(asked[0], 10))]
        await until(lambda: watched.batches)
        tasks += [asyncio.create_task(batcher.nearest(asked[i], 10)) for i in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.nearest(asked[5], 10)
        watched.gate.set()
        assert len(await asyncio.gather(*tasks)) == 4
        assert pool.n_taken == 0

    with Searchers(1, 4) as pool:
        asyncio.run(run(pool))


def test_an_error_reaches_whoever_asked_and_the_next_is_served(index: Index) -> None:
    asked = directions(index)

    async def run(pool: Searchers) -> None:
        batcher = Batcher(index, pool)
        with pytest.raises(ValueError, match="mismatch"):
            await batcher.nearest(np.zeros((2, 2)), 10)
        assert (await batcher.nearest(asked[3], 10))[0][0] == 3

    with Searchers(1) as pool:
        asyncio.run(run(pool))
