from __future__ import annotations

import numpy as np
import pytest

from app.core.nearest import scores
from trainer.kernels.neighbors.ranking import pieces_of, product_sum, rank


@pytest.mark.parametrize("dim", [1, 7, 8, 9, 100, 128, 129, 136, 300, 1000, 2049])
def test_sums_have_the_bits_of_numpys(dim: int) -> None:
    rows = np.random.default_rng(dim).standard_normal((2, 50, dim), np.float32)
    pieces = pieces_of(dim)
    sums = np.empty(len(pieces))
    found = [product_sum(a.ctypes.data, b.ctypes.data, pieces, sums) for a, b in zip(*rows, strict=True)]
    assert found == (rows[0].astype(np.float64) * rows[1]).sum(axis=1).tolist()


def test_candidates_are_ranked_by_score_then_id() -> None:
    """Ids are not rows: the vectors may be copies of some."""
    vectors = np.array([[0.5, 0.5], [1, 0], [0.5, 0.5], [0, 0], [-1, 0]], np.float32)
    own = np.array([[1, 0], [0, 1]], np.float32)
    pairs = np.array([[0, 30], [4, 50], [2, 20], [1, 40], [3, 10], [1, 7]], np.int32)
    ids, found = np.zeros((2, 3), np.int32), np.zeros((2, 3))
    counts = np.array([5, 1], np.int32)
    rank(own.ctypes.data, vectors.ctypes.data, pairs, counts, pieces_of(2), 1e6, ids, found)
    assert ids.tolist() == [[40, 20, 30], [7, 0, 0]]
    assert found.tolist() == [[1, 0.5, 0.5], [0, 0, 0]]


def test_scores_are_those_of_the_service() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.standard_normal((400, 30)) / 5).astype(np.float32)
    pairs = np.arange(400, dtype=np.int32)[:, None].repeat(2, axis=1)
    ids, found = np.empty((1, 400), np.int32), np.empty((1, 400))
    rank(vectors.ctypes.data, vectors.ctypes.data, pairs, np.array([400], np.int32), pieces_of(30), 1e6, ids, found)
    expected = scores.cosines(vectors, vectors[0].astype(np.float64), np.arange(400))
    assert found[0].tolist() == expected[scores.ranking(expected, np.arange(400))].tolist()
    assert found.tobytes() == expected[ids].tobytes()
