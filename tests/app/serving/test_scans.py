"""Scans and long texts keep the event loop free, and nobody waits behind more of them than there may be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from app.core.errors import Overloaded, WordNotFound
from app.serving import answering, scans, texts
from app.serving.asking import (
    AnalogyParameters,
    NeighborsParameters,
    SensesParameters,
    TextVectorParameters,
    VectorParameters,
)
from app.serving.registry import Registry
from app.serving.searchers import ALONE, REFUSED
from app.serving.version import ServedVersion
from tests.published import World, random_vectors

T = TypeVar("T")
WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture
def version(tmp_path: Path) -> Iterator[ServedVersion]:
    world = World(tmp_path)
    registry = Registry(world.database, world.storage, world.settings)
    with closing(world.database):
        world.publish("m", WORDS, random_vectors(60, 8))
        yield asyncio.run(registry.get("m"))
        registry.stop()


def noting(threads: list[int], function: Callable[..., T]) -> Callable[..., T]:
    """The function, which notes on which thread it is called."""

    def noted(*given: object) -> T:
        threads.append(threading.get_ident())
        return function(*given)

    return noted


def scan(version: ServedVersion) -> asyncio.Task[list[dict[str, object]]]:
    query = NeighborsParameters(word="w0", k=3, metric="csls")
    direction = version.table.unit_vectors[0].astype("f8")
    return asyncio.create_task(scans.filtered(version, query, direction, []))


@pytest.fixture
def goes_on(version: ServedVersion) -> Iterator[threading.Event]:
    """Until it is set all search threads are busy."""
    event = threading.Event()
    for _ in range(version.pool._max_workers):
        version.pool.submit(event.wait)
    yield event
    event.set()


def test_more_scans_than_may_wait_are_refused_and_a_scan_that_nobody_waits_for_is_not_begun(
    version: ServedVersion, goes_on: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    version.pool.n_places = 3 * ALONE
    begun: list[int] = []
    monkeypatch.setattr(scans, "_by_csls", noting(begun, scans._by_csls))

    async def crowd() -> None:
        first, second, third = scan(version), scan(version), scan(version)
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await scan(version)
        second.cancel()
        await asyncio.wait([second])
        fourth = scan(version)
        goes_on.set()
        answers = [[found["word"] for found in await task] for task in (first, third, fourth)]
        assert answers[0][0] == "w0"
        assert answers[0] == answers[1] == answers[2]

    asyncio.run(crowd())
    assert len(begun) == 3
    assert version.pool.n_taken == 0


def test_all_that_is_asked_waits_in_one_queue_and_refusals_are_counted(
    version: ServedVersion, goes_on: threading.Event
) -> None:
    """A scan takes the places that a batched query, a long text and near spellings would have had."""
    version.pool.n_places = ALONE
    refused = REFUSED._value.get()
    long_text = " ".join(["w1", "w2"] * 1000)

    async def crowd() -> None:
        waiting = scan(version)
        await asyncio.sleep(0)
        for asked in (
            answering.neighbors(version, NeighborsParameters(word="w1", k=55)),
            answering.neighbors(version, NeighborsParameters(word="w1", k=5, prefix="w")),
            answering.analogy(version, AnalogyParameters(a="w1", b="w2", c="w3")),
            answering.analogy(version, AnalogyParameters(a="w1", b="w2", c="w3", method="mul")),
            answering.senses(version, SensesParameters(word="w1")),
            answering.text_vector(version, TextVectorParameters(text=long_text)),
        ):
            with pytest.raises(Overloaded):
                await asked
        with pytest.raises(WordNotFound) as missed:
            await answering.vector(version, VectorParameters(word="w1x"))
        assert missed.value.members["suggestions"] == {"w1x": []}, "what is nice to have is left out"
        stored = await answering.neighbors(version, NeighborsParameters(word="w1", k=5))
        assert len(stored["neighbors"]) == 5, "what waits for nothing is answered"
        goes_on.set()
        await waiting

    asyncio.run(crowd())
    assert REFUSED._value.get() - refused == 7
    assert version.pool.n_taken == 0


@pytest.mark.parametrize(("n_words", "is_beside"), [(10, False), (1_000, True)])
def test_long_lists_of_words_are_looked_up_beside_the_event_loop(
    version: ServedVersion, monkeypatch: pytest.MonkeyPatch, n_words: int, is_beside: bool
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(scans, "_n_frequent", noting(threads, scans._n_frequent))
    query = NeighborsParameters(word="w0", k=3, allow=tuple(["w1", "w2"] * (n_words // 2)))
    found = asyncio.run(scans.filtered(version, query, version.table.unit_vectors[0].astype("f8"), []))
    assert {answer["word"] for answer in found} == {"w1", "w2"}
    assert (threads != [threading.get_ident()]) == is_beside


@pytest.mark.parametrize(("n_words", "is_beside"), [(10, False), (2_000, True)])
def test_long_texts_are_read_beside_the_event_loop(
    version: ServedVersion, monkeypatch: pytest.MonkeyPatch, n_words: int, is_beside: bool
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(version.text, "words", noting(threads, version.text.words))
    found = asyncio.run(texts.text_vector(version, " ".join(["w1", "w2"] * (n_words // 2))))
    assert found.n_tokens == n_words
    assert (threads != [threading.get_ident()]) == is_beside
