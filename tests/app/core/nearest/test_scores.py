from __future__ import annotations

import numpy as np
import pytest

from app.core.nearest import scores
from tests.oracles.search import cosine
from tests.published import random_vectors


def test_scores_are_the_cosines_rounded() -> None:
    vectors = random_vectors(40, 30)
    unit = (vectors / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)).astype(np.float32)
    asked = np.array([[5, 6], [7, 8], [9, 2]])
    found = np.array([scores.cosines(unit, unit[i].astype(np.float64), asked[i]) for i in range(3)])
    expected = [[cosine(vectors[i], vectors[j]) for j in row] for i, row in enumerate([[5, 6], [7, 8], [9, 2]])]
    np.testing.assert_allclose(found, expected, atol=6e-7)
    np.testing.assert_array_equal(found, np.round(found, 6))


@pytest.mark.parametrize("dim", [1, 7, 8, 50, 100, 129, 300, 1024])
def test_bytes_do_not_depend_on_the_batch(dim: int) -> None:
    """Each pair alone and all together."""
    vectors = random_vectors(200, dim)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    directions, queries, ids = unit[:20].astype(np.float64), np.repeat(np.arange(20), 9), np.arange(20 * 9)
    together = scores.of_pairs(unit, directions, queries, ids)
    alone = [scores.cosines(unit, directions[i], np.array([j]))[0] for i, j in zip(queries, ids, strict=True)]
    np.testing.assert_array_equal(together, alone)
    assert scores.cosine(directions[3], unit[ids[31]].astype(np.float64)) == together[31]


@pytest.mark.parametrize("dim", [2, 50, 300, 1024])
def test_slack_covers_the_worst_rounding_of_float32(dim: int) -> None:
    """All products of one sign, added one by one, are where rounding errors grow most."""
    vectors = np.abs(random_vectors(400, dim))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    exact = unit[1:].astype(np.float64) @ unit[0].astype(np.float64)
    one_by_one = np.cumsum(unit[1:] * unit[0], axis=1, dtype=np.float32)[:, -1]
    furthest = np.abs(one_by_one - exact).max()
    assert 0 < 2 * furthest < scores.slack(dim)


def test_no_negative_zero() -> None:
    assert str(scores.rounded(np.array([-1e-9]))[0]) == "0.0"


def test_ties_go_by_id() -> None:
    order = scores.ranking(np.array([0.5, 0.7, 0.5, 0.7]), np.array([4, 3, 2, 9]))
    assert order.tolist() == [1, 3, 2, 0]


def test_direction() -> None:
    found = scores.direction(np.array([[1.0, 0.0], [0.0, 1.0]]), [3.0, -4.0])
    assert found is not None
    np.testing.assert_allclose(found, [0.6, -0.8])
    assert scores.direction(np.array([[1.0, 0.0], [1.0, 0.0]]), [1.0, -1.0]) is None
    assert scores.direction(np.array([[1e200, 0.0]]), [1e200]) is None


def test_a_stored_score_comes_back_as_its_decimals() -> None:
    """float32 keeps six decimals of a cosine, so the stored table and a fresh search write the same digits."""
    decimals = np.arange(-1_000_000, 1_000_001) / 1e6
    stored = decimals.astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(np.round(stored, 6), decimals)
