from __future__ import annotations

import numpy as np
import pytest

from app.core.table.arrays import Neighbors
from app.core.table.writing import normalise
from tests.oracles import search as oracle_search
from tests.published import random_vectors, vocabulary_of
from trainer.publishing import neighbors
from trainer.publishing.neighbors import hubness, nearest_neighbors
from trainer.steps.progress import Progress, ignore


def test_table_is_the_oracles() -> None:
    vectors = random_vectors(120, 9)
    found = nearest_neighbors(normalise(vectors)[0], threads=2, report=ignore)
    assert found.ids.shape == found.scores.shape == (120, 50)
    assert found.ids.dtype == np.dtype(np.int32)
    assert found.scores.dtype == np.dtype(np.float32)
    for i in range(0, 120, 7):
        expected = oracle_search.nearest(vectors.tolist(), vectors[i].tolist(), {i}, 50)
        assert found.ids[i].tolist() == [j for j, _ in expected]
        np.testing.assert_allclose(found.scores[i], [score for _, score in expected], atol=1.1e-6)


def test_bytes_do_not_depend_on_threads() -> None:
    unit_vectors = normalise(random_vectors(3000, 40))[0]
    one, three = (nearest_neighbors(unit_vectors, threads=n, report=ignore) for n in (1, 3))
    assert one.ids.tobytes() == three.ids.tobytes()
    assert one.scores.tobytes() == three.scores.tobytes()


def test_a_word_is_not_its_own_neighbor_even_among_equals() -> None:
    """60 equal vectors: some words are not even among their own first 51."""
    unit_vectors = normalise(np.repeat(random_vectors(2, 5), 60, axis=0))[0]
    found = nearest_neighbors(unit_vectors, threads=1, report=ignore)
    assert not (found.ids == np.arange(120)[:, None]).any()
    assert found.ids[55].tolist() == list(range(50))
    assert found.ids[3].tolist() == [*range(3), *range(4, 51)]


@pytest.mark.parametrize("n_words", [1, 2])
def test_tiny_vocabularies(n_words: int) -> None:
    found = nearest_neighbors(normalise(random_vectors(n_words, 3))[0], threads=2, report=ignore)
    assert found.ids.tolist() == ([[]] if n_words == 1 else [[1], [0]])


def test_only_the_most_frequent_are_covered_of_a_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "ALWAYS_COVERED", 1500)
    monkeypatch.setattr(neighbors, "MOST_PRODUCTS", 0)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.0)
    unit_vectors = normalise(random_vectors(6000, 8))[0]
    reports: list[Progress] = []
    found = nearest_neighbors(unit_vectors, threads=1, report=reports.append)
    assert len(found.ids) == 2 * neighbors.BLOCK
    assert int(found.ids.max()) > len(found.ids), "neighbours come from the whole vocabulary"
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert set(fractions) == {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("n_words", "dim", "covered"),
    [(50_000, 100, 50_000), (100_000, 1000, 100_000), (122_880, 100, 122_880), (150_000, 100, 100_352)],
)
def test_coverage_is_by_counts(n_words: int, dim: int, covered: int) -> None:
    """122,070 words of 122,880 are paid for; the last block is made whole."""
    assert neighbors.n_covered(n_words, dim) == covered


def test_hubness_of_a_star() -> None:
    """Word 0 is everybody's only neighbour."""
    ids = np.array([[1], [0], [0], [0], [0]], np.int32)
    found = hubness(Neighbors(ids, np.ones((5, 1), np.float32)), vocabulary_of(list("abcde")))
    assert found["hubs"] == [{"word": "a", "count": 4}, {"word": "b", "count": 1}]
    counts = np.array([4, 1, 0, 0, 0])
    assert found["skewness"] == pytest.approx(np.mean((counts - 1) ** 3) / counts.std() ** 3, abs=1e-4)
    assert found["never_a_neighbor"] == 3
