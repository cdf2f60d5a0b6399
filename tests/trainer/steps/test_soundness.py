"""Vectors that no service could use are refused, and told why."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import VectorsCollapsed, VectorsNotFinite
from tests.published import random_vectors
from trainer.steps.soundness import check_vectors


def test_vectors_that_are_not_finite_are_counted() -> None:
    vectors = random_vectors(200, 10)
    vectors[7, 3], vectors[9, 0] = np.nan, np.inf
    with pytest.raises(VectorsNotFinite, match="2 of 200"):
        check_vectors(vectors)


def test_vectors_that_all_point_one_way_are_refused() -> None:
    same = np.ones((50, 10), np.float32) * np.arange(1, 51, dtype=np.float32)[:, None]
    with pytest.raises(VectorsCollapsed, match=r"1\.0000"):
        check_vectors(same + 1e-3 * random_vectors(50, 10))
    check_vectors(np.ones((50, 10), np.float32) + random_vectors(50, 10))


@pytest.mark.parametrize(("mean_cosine", "is_refused"), [(0.9996, True), (0.9985, False)])
def test_the_limit_is_a_mean_cosine_of_0_999(mean_cosine: float, is_refused: bool) -> None:
    """Every word has the same part along one axis, and another axis of its own: all pairs have one cosine."""
    vectors = np.eye(40, 41, 1, np.float32) * np.float32(np.sqrt(1 - mean_cosine))
    vectors[:, 0] = np.sqrt(mean_cosine)
    if not is_refused:
        check_vectors(vectors)
        return
    with pytest.raises(VectorsCollapsed, match=r"0\.9996 on average.*too few steps.*preset small-corpus"):
        check_vectors(vectors)


def test_zero_vectors_are_refused_wherever_they_are() -> None:
    vectors = random_vectors(6000, 4)
    vectors[5000] = 0
    with pytest.raises(VectorsCollapsed, match="1 vectors are zero"):
        check_vectors(vectors)


def test_one_word_alone_is_fine() -> None:
    check_vectors(np.ones((1, 3), np.float32))
