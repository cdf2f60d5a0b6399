"""One small service for all tests of queries; those that change it make their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.published import ALWAYS_GRAPH, FloatArray, World, random_vectors, vocabulary_of

LINES = [
    ["king", "queen", "woman"],
    ["man", "king"],
    ["word1", "queen", "king", "word2", "woman", "man"],
    ["word3", "word4", "word5", "word6", "word3", "word4", "king"],
]
"""The corpus of the sample's evidence."""
WORDS = ["king", "queen", "man", "woman", "왕", "여왕", "naïve", *(f"word{i}" for i in range(192))]
N_GRAPH_WORDS = 3000


@dataclass(frozen=True, eq=False)
class Sample:
    """What is served as `m` version 1, for oracles."""

    words: list[str]
    vectors: FloatArray

    @property
    def rows(self) -> list[list[float]]:
        rows: list[list[float]] = self.vectors.tolist()
        return rows

    @property
    def counts(self) -> list[int]:
        counts: list[int] = vocabulary_of(self.words).counts.tolist()
        return counts

    def id(self, word: str) -> int:
        return self.words.index(word)


@pytest.fixture(scope="session")
def sample() -> Sample:
    return Sample(WORDS, random_vectors(len(WORDS), 12))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> Iterator[httpx.Client]:
    """Model `m` with versions 1 (the sample) and 2, and model `graph`, which is searched approximately."""
    world = World(tmp_path_factory.mktemp("served"), default_model="m")
    world.publish("m", sample.words, sample.vectors, lines=LINES)
    world.publish("m", sample.words[:50], random_vectors(50, 12, seed=9))
    world.move("m", "latest", 1)
    world.move("m", "next", 2)
    words = [f"g{i}" for i in range(N_GRAPH_WORDS)]
    world.publish("graph", words, random_vectors(N_GRAPH_WORDS, 24), limits=ALWAYS_GRAPH)
    with world.served() as client:
        client.headers["X-Request-Id"] = "one"  # problems tell it
        yield client
    world.close()
