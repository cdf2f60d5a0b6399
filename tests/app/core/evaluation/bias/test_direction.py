from __future__ import annotations

import math

import numpy as np
import pytest

from app.core.evaluation.bias.direction import bias_direction, direct_bias, indirect_bias


def test_the_direction_points_from_the_second_words_to_the_first() -> None:
    pairs = np.array([[[3.0, 1.0, 0.0], [-1.0, 1.0, 0.0]], [[2.0, 0.0, 5.0], [0.0, 0.0, 4.0]]])
    direction, explained = bias_direction(pairs)
    # half differences (2, 0, 0) and (1, 0, 0.5): the scatter matrix of both signs is twice [[5, .5], [.5, .25]]
    large = (5.25 + math.sqrt(4.75**2 + 1.0)) / 2
    assert explained[0] == pytest.approx(large / 5.25, abs=1e-12)
    assert explained.sum() == pytest.approx(1.0, abs=1e-12)
    slope = (large - 5) / 0.5
    expected = np.array([1.0, 0.0, slope]) / math.hypot(1.0, slope)
    np.testing.assert_allclose(direction, expected, atol=1e-12)
    np.testing.assert_allclose(bias_direction(pairs[:, ::-1])[0], -expected, atol=1e-12)


def test_pairs_of_equal_vectors_have_no_direction() -> None:
    with pytest.raises(ValueError, match="same vector"):
        bias_direction(np.ones((2, 2, 3)))


def test_direct_bias_is_the_mean_of_absolute_cosines() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 7.0], [-2.0, 0.0]], np.float32)
    direction = np.array([1.0, 0.0])
    assert direct_bias(rows, direction) == pytest.approx((0.6 + 0 + 1) / 3, abs=1e-12)
    assert direct_bias(rows, direction, c=2) == pytest.approx((0.36 + 0 + 1) / 3, abs=1e-12)
    assert direct_bias(rows, direction, c=0) == pytest.approx(2 / 3, abs=1e-12)


def test_indirect_bias_is_the_share_of_the_cosine_that_the_direction_gives() -> None:
    direction = np.array([1.0, 0.0, 0.0])
    a, b = np.array([3.0, 4.0, 0.0]), np.array([6.0, 0.0, 8.0])
    assert indirect_bias(a, b, direction) == pytest.approx(1.0, abs=1e-12)  # the rest is at right angles
    assert indirect_bias(a, np.array([0.0, 2.0, 0.0]), direction) == pytest.approx((0.8 - 1) / 0.8, abs=1e-12)
    assert math.isnan(indirect_bias(a, np.array([0.0, 0.0, 1.0]), direction))
