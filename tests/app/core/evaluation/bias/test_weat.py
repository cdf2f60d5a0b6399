from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest

from app.core.evaluation.bias.rows import cosines
from app.core.evaluation.bias.weat import Cosines, Deviation, effect_size, interval, single_category, weat
from tests.oracles import bias as oracle


def made_up(seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """Targets X and Y, attributes A and B, of unlike sizes and lengths."""
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((n, 10)) * 3 + 1).astype(np.float32) for n in (7, 6, 5, 4)]


@pytest.mark.parametrize(("deviation", "less"), [("n-1", 1), ("n", 0)])
def test_statistic_and_effect_size_are_those_of_the_formula(deviation: Deviation, less: int) -> None:
    x, y, a, b = made_up()
    found = weat(Cosines.of(x, y, a, b), deviation=deviation)
    of_x, of_y = ([oracle.association(w, a.tolist(), b.tolist()) for w in rows.tolist()] for rows in (x, y))
    assert found.statistic == pytest.approx(sum(of_x) - sum(of_y), abs=1e-12)
    assert found.mean_difference == pytest.approx(sum(of_x) / 7 - sum(of_y) / 6, abs=1e-12)
    expected = oracle.effect_size(x.tolist(), y.tolist(), a.tolist(), b.tolist(), less)
    assert found.effect_size == pytest.approx(expected, abs=1e-12)
    assert found.test.n_partitions == 1716
    assert found.test.is_exact


def test_the_test_is_of_the_difference_of_means() -> None:
    """A word more in X with a negative s makes the sum smaller than that of Y; the mean is still greater."""
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    x, y = (np.tile([np.cos(t), np.sin(t)], (n, 1)) for t, n in ((np.radians(50), 7), (np.radians(50.5), 6)))
    found = weat(Cosines.of(x, y, a, b))
    assert found.statistic < 0 < found.mean_difference
    assert found.test.p_value == pytest.approx(1 / 1716)


def test_equal_targets_have_no_effect() -> None:
    assert effect_size(np.ones(6), np.ones(6)) == 0.0
    assert effect_size(np.array([1.0, 1.0]), np.array([0.0, 0.0])) == pytest.approx(1 / sqrt(1 / 3))
    assert effect_size(np.array([1.0, 1.0]), np.array([0.0, 0.0]), "n") == pytest.approx(2.0)


@pytest.mark.parametrize(("deviation", "less"), [("n-1", 1), ("n", 0)])
def test_single_words_are_measured_by_their_own_deviation(deviation: Deviation, less: int) -> None:
    x, _, a, b = made_up(1)
    found = single_category(cosines(x, a), cosines(x, b), deviation)
    expected = [oracle.single_category(word, a.tolist(), b.tolist(), less) for word in x.tolist()]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    same = np.full((1, 3), 0.5)
    assert single_category(same, same).tolist() == [0.0]


def test_the_interval_has_no_width_where_all_words_of_each_set_are_one() -> None:
    x, y, a, b = (np.tile(row, (6, 1)) for row in np.random.default_rng(2).standard_normal((4, 5)))
    found = Cosines.of(x, y, a, b)
    low, high = interval(found)
    expected = weat(found).effect_size
    assert abs(expected) == pytest.approx(2 / sqrt(12 / 11), abs=1e-12)
    assert (low, high) == pytest.approx((expected, expected), abs=1e-9)


def test_the_interval_is_that_of_plain_draws() -> None:
    x, y, a, b = made_up(4)
    low, high = interval(Cosines.of(x, y, a, b))
    rng = np.random.default_rng(9)
    drawn = []
    for _ in range(400):
        sets = [rows[rng.integers(len(rows), size=len(rows))] for rows in (x, y, a, b)]
        drawn.append(weat(Cosines.of(*sets), n_drawn=1).effect_size)
    expected_low, expected_high = np.percentile(drawn, (2.5, 97.5))
    assert low == pytest.approx(expected_low, abs=0.12)
    assert high == pytest.approx(expected_high, abs=0.12)
