"""Scores and their bounds, beside scipy's and beside the known answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from app.core.evaluation.results import Outcomes
from app.core.evaluation.statistics import difference, ranks, score, spearman

NUMBERS = st.lists(st.sampled_from([0.0, 0.5, 1.0, -2.0, 3.25]), min_size=2, max_size=30)


@given(NUMBERS)
def test_ranks_are_scipys_less_one(values: list[float]) -> None:
    assert ranks(np.array(values)) == pytest.approx(rankdata(values) - 1)
    assert ranks(np.array([values, values[::-1]]))[1] == pytest.approx(rankdata(values[::-1]) - 1)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_correlations_are_scipys_with_and_without_ties(n: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.integers(5, size=(2, n)).astype(float)
    expected = 0.0 if len(set(a)) == 1 or len(set(b)) == 1 else float(spearmanr(a, b).statistic)
    assert float(spearman(a, b)) == pytest.approx(expected)


def test_the_interval_of_a_share_is_that_of_independent_questions() -> None:
    generator = np.random.default_rng(1)
    right = (generator.random(1000) < 0.3).astype(float)
    found = score(Outcomes(values=right.tolist()))
    assert found is not None
    value, interval = found
    assert value == right.mean()
    spread = 1.96 * np.sqrt(value * (1 - value) / 1000)
    assert (interval.low, interval.high) == pytest.approx((value - spread, value + spread), abs=0.004)
    assert interval.over == "items"


def test_sections_that_agree_within_themselves_make_it_wider() -> None:
    starts = list(range(0, 1000, 100))
    values = [float(section % 2) for section in range(10) for _ in range(100)]
    clustered, apart = (score(Outcomes(values=values, starts=given)) for given in (starts, []))
    assert clustered is not None
    assert apart is not None
    assert clustered[1].over == "sections"
    assert clustered[1].high - clustered[1].low > 5 * (apart[1].high - apart[1].low)


def test_a_difference_is_paired_and_of_common_questions() -> None:
    """Two versions that answer alike differ by nothing, however uncertain each of them is."""
    a = Outcomes(values=[1.0, 0.0, 1.0, None, 0.0, 1.0])
    same = difference(a, a)
    assert same is not None
    assert (same.n, same.a, same.b, same.interval.low, same.interval.high) == (5, 0.6, 0.6, 0.0, 0.0)
    better = difference(a, Outcomes(values=[1.0, 1.0, None, 1.0, 1.0, 1.0]))
    assert better is not None
    assert (better.n, better.a, better.b) == (4, 0.5, 1.0)


def test_correlations_are_drawn_with_their_gold() -> None:
    generator = np.random.default_rng(0)
    gold = generator.random(200)
    near, far = gold + 0.1 * generator.random(200), gold + 2 * generator.random(200)
    worse = difference(
        Outcomes(values=near.tolist(), gold=gold.tolist()), Outcomes(values=far.tolist(), gold=gold.tolist())
    )
    assert worse is not None
    assert worse.interval.high < 0
    assert worse.b == pytest.approx(float(spearmanr(far, gold).statistic))


def test_too_little_is_no_score() -> None:
    few = Outcomes(values=[1.0, None, 0.0])
    assert score(few) is None
    assert difference(few, Outcomes(values=[1.0, 1.0, 1.0])) is None


def test_bounds_are_the_same_each_time() -> None:
    values = np.random.default_rng(3).random(50).round(1).tolist()
    assert score(Outcomes(values=values)) == score(Outcomes(values=values))
