"""Scans and long texts keep the event loop free, and nobody waits behind more of them than there may be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from app.core.errors import Overloaded
from app.serving import scans, texts
from app.serving.asking import NeighborsParameters
from app.serving.registry import Registry
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
    query = NeighborsParameters(word="w0", k=3)
    direction = version.table.unit_vectors[0].astype("f8")
    return asyncio.create_task(scans.filtered(version, query, direction, []))


def test_more_scans_than_may_wait_are_refused_and_a_scan_that_nobody_waits_for_is_not_begun(
    version: ServedVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "MAX_SCANS_WAITING", 3)
    begun: list[int] = []
    monkeypatch.setattr(scans, "_filtered", noting(begun, scans._filtered))
    goes_on = threading.Event()

    async def crowd() -> None:
        for _ in range(version.pool._max_workers):  # type: ignore[attr-defined]  # of the pool that this is
            version.pool.submit(goes_on.wait)
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
    assert version.n_scans_waiting == 0


@pytest.mark.parametrize(("n_words", "is_beside"), [(10, False), (2_000, True)])
def test_long_texts_are_read_beside_the_event_loop(
    version: ServedVersion, monkeypatch: pytest.MonkeyPatch, n_words: int, is_beside: bool
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(version.text, "words", noting(threads, version.text.words))
    found = asyncio.run(texts.text_vector(version, " ".join(["w1", "w2"] * (n_words // 2))))
    assert found.n_tokens == n_words
    assert (threads != [threading.get_ident()]) == is_beside
