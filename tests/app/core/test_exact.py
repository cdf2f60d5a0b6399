from __future__ import annotations

import faiss
import numpy as np
import pytest

from app.core import exact
from app.core.table import normalise
from tests import oracle_search
from tests.published import FloatArray, random_vectors


def unit(vectors: FloatArray) -> FloatArray:
    return normalise(vectors)[0]


def test_finds_what_the_oracle_finds() -> None:
    vectors = random_vectors(150, 12)
    ids, scores = exact.nearest(unit(vectors), unit(vectors[:5]).astype(np.float64), 20)
    for i in range(5):
        expected = oracle_search.nearest(vectors.tolist(), vectors[i].tolist(), set(), 20)
        assert ids[i].tolist() == [j for j, _ in expected]
        np.testing.assert_allclose(scores[i], [score for _, score in expected], atol=1.1e-6)


@pytest.mark.parametrize("k", [1, 10, 299, 300])
def test_many_equal_rows_are_ordered_by_id(k: int) -> None:
    """More ties than the margin: the first by id must be found, whichever FAISS proposes."""
    vectors = unit(np.repeat(random_vectors(3, 10), 100, axis=0)[np.random.default_rng(1).permutation(300)])
    ids, scores = exact.nearest(vectors, vectors[:7].astype(np.float64), k)
    for row in range(7):
        every = scores_of_all(vectors, row)
        expected = sorted(range(300), key=lambda i: (-every[i], i))[:k]
        assert ids[row].tolist() == expected
        assert scores[row].tolist() == [every[i] for i in expected]


def test_scores_that_round_alike_are_ties_although_faiss_ranks_them() -> None:
    """Row i is nearer than row i - 1 by less than a score tells: ids decide, and the proposal starts at the far end."""
    cosines = (0.5 + 4e-9 * np.arange(100)).astype(np.float32)
    vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    ids, scores = exact.nearest(vectors, np.array([[1.0, 0.0]]), 10)
    assert ids[0].tolist() == list(range(10))
    assert scores[0].tolist() == [0.5] * 10


def scores_of_all(vectors: FloatArray, row: int) -> list[float]:
    found: list[float] = np.round(vectors.astype(np.float64) @ vectors[row].astype(np.float64), 6).tolist()
    return found


def test_bytes_do_not_depend_on_the_batch() -> None:
    vectors = unit(random_vectors(3000, 100))
    directions = vectors[:40].astype(np.float64)
    together = exact.nearest(vectors, directions, 10)
    for i in range(40):
        ids, scores = exact.nearest(vectors, directions[i : i + 1], 10)
        assert ids.tobytes() == together[0][i].tobytes()
        assert scores.tobytes() == together[1][i].tobytes()


def test_batches_multiply_matrices() -> None:
    """FAISS's own threshold would scan query by query on one thread; see research on FAISS 1.14.2."""
    assert faiss.cvar.distance_compute_blas_threshold == 400


def test_nothing_asked() -> None:
    assert exact.nearest(unit(random_vectors(5, 4)), np.zeros((2, 4)), 0)[0].shape == (2, 0)
