from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.evaluation.bias.permutation import Alternative, holm, permutation_test, smallest_p
from tests.oracles import bias as oracle

numbers = st.lists(st.integers(-4, 4), min_size=1, max_size=6)


@settings(max_examples=30)
@given(numbers, numbers, st.sampled_from(["greater", "two-sided"]))
def test_all_divisions_are_counted_with_ties(x: list[int], y: list[int], alternative: Alternative) -> None:
    found = permutation_test(np.array(x) / 7, np.array(y) / 7, alternative)
    assert found.is_exact
    assert Fraction(found.n_as_extreme, found.n_partitions) == oracle.p_value(
        x, y, both_sides=alternative == "two-sided"
    )


def test_groups_that_lie_apart_reach_the_smallest_p() -> None:
    high, low = np.arange(10.0, 18.0), np.arange(8.0)
    assert permutation_test(high, low) == (1 / 12_870, 1, 12_870, True)
    assert permutation_test(high, low, "two-sided").n_as_extreme == 2
    assert permutation_test(low, high) == (1.0, 12_870, 12_870, True)
    assert permutation_test(low, high, "two-sided").n_as_extreme == 2
    assert smallest_p(8, 8) == 1 / 12_870


def test_too_many_divisions_are_drawn_and_the_observed_one_counts() -> None:
    high, low = np.arange(100.0, 112.0), np.arange(12.0, 25.0)
    found = permutation_test(high, low, n_drawn=999)
    assert found == (1 / 1000, 1, 1000, False)  # none of 999 is as extreme as one of 5,200,300
    assert permutation_test(low, high, n_drawn=999) == (1.0, 1000, 1000, False)


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_draws_agree_with_counting_and_with_their_seed(
    alternative: Alternative, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal(9) + 0.5, rng.standard_normal(7)
    exact = permutation_test(x, y, alternative)
    assert exact.is_exact
    monkeypatch.setattr("app.core.evaluation.bias.permutation.MAX_EXACT", 10)
    drawn = permutation_test(x, y, alternative, n_drawn=20_000)
    assert not drawn.is_exact
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.012)
    assert drawn == permutation_test(x, y, alternative, n_drawn=20_000, seed=0)
    assert drawn != permutation_test(x, y, alternative, n_drawn=20_000, seed=1)


def test_no_number_stands_twice_in_a_drawn_division(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 0, ..., 0, 1 a division has the 1 or not; drawn with replacement, its sum would pass 1."""
    monkeypatch.setattr("app.core.evaluation.bias.permutation.MAX_EXACT", 1)
    x, y = np.array([1.0, 1.0, 0.0]), np.zeros(3)
    exact = 4 / 20  # both ones and any of four
    assert permutation_test(x, y, n_drawn=20_000).p_value == pytest.approx(exact, abs=0.01)


def test_equal_numbers_show_nothing() -> None:
    assert permutation_test(np.ones(6), np.ones(6)).p_value == 1.0
    assert permutation_test(np.ones(6), np.ones(6), "two-sided").p_value == 1.0


def test_holm_multiplies_by_how_many_are_left_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
