from __future__ import annotations

import numpy as np
import pytest

from app.core.table.limits import IndexLimits
from app.core.table.quantised import Quantised, quantise
from app.core.table.writing import normalise
from tests.published import FloatArray, random_vectors
from trainer.publishing import graph, index, trial
from trainer.publishing.trial import settled
from trainer.steps.progress import ignore


def alike(n_words: int, dim: int) -> FloatArray:
    """Eight clusters of words that are all but equal: a graph finds the way to few of them."""
    generator = np.random.default_rng(2)
    centers = generator.standard_normal((8, dim))[generator.integers(0, 8, n_words)]
    return normalise((centers + 0.001 * generator.standard_normal((n_words, dim))).astype(np.float32))[0]


def anywhere(n_words: int, dim: int) -> FloatArray:
    """Unit vectors that point anywhere."""
    return normalise(np.random.default_rng(1).standard_normal((n_words, dim)).astype(np.float32))[0]


def recalls_of(unit_vectors: FloatArray) -> list[float]:
    """What graphs of one of 16 words and of all find with the greatest effort."""
    found = []
    for words in (unit_vectors[::16].copy(), unit_vectors):
        built = graph.build(words, ignore, threads=2)
        built.hnsw.efSearch = index.EF_SEARCH[-1]
        found.append(index.recall(built, words, index.word_sample(words)))
    return found


def test_a_graph_that_will_miss_the_recall_is_not_built() -> None:
    """That of some words misses less than that of all."""
    unit_vectors = alike(6400, 16)
    chosen = settled(unit_vectors, IndexLimits(most_scanned=0), ignore, threads=1)
    assert (chosen.requested, chosen.wants_graph(unit_vectors.size)) == ("auto", False)
    some, all_words = recalls_of(unit_vectors)
    assert all_words < some < chosen.min_recall


@pytest.mark.parametrize(
    ("unit_vectors", "wants_graph"),
    [
        (anywhere(25_600, 64), True),
        (anywhere(30_000, 300), False),
        (normalise(random_vectors(30_000, 300))[0], True),
    ],
    ids=["anywhere in few dimensions", "anywhere in many", "in small clusters"],
)
def test_a_graph_that_needs_ever_more_effort_is_not_built(unit_vectors: FloatArray, wants_graph: bool) -> None:
    """Of vectors that point anywhere in many dimensions one of 16 are found, and all are not."""
    chosen = settled(unit_vectors, IndexLimits(most_scanned=0), ignore, threads=2)
    assert chosen.wants_graph(unit_vectors.size) == wants_graph
    some, all_words = recalls_of(unit_vectors)
    assert some >= chosen.min_recall
    assert (all_words >= chosen.min_recall) == wants_graph


@pytest.mark.parametrize(("missed", "wants_graph"), [(0.0, True), (0.0015, True), (0.0025, False)])
def test_a_graph_that_misses_hardly_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, missed: float, wants_graph: bool
) -> None:
    """One of all words may find a little more than that of some."""
    monkeypatch.setattr(trial, "recall", lambda *_: 0.998 - missed)
    unit_vectors = normalise(random_vectors(1600, 16))[0]
    chosen = settled(unit_vectors, IndexLimits(most_scanned=0), ignore, threads=1)
    assert chosen.wants_graph(unit_vectors.size) == wants_graph


def test_only_a_graph_that_may_be_built_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    good, poor = normalise(random_vectors(1600, 16))[0], alike(1600, 16)
    limits = IndexLimits(most_scanned=0)
    assert settled(good, limits, ignore, threads=1) == limits
    monkeypatch.setattr(graph, "build", None)
    for others in (IndexLimits("graph"), IndexLimits("exact", most_scanned=0), IndexLimits(most_scanned=poor.size)):
        assert settled(poor, others, ignore, threads=1) == others
    is_quantised = settled(Quantised(quantise(good, "int8")), limits, ignore, threads=1)
    assert not is_quantised.wants_graph(good.size)
