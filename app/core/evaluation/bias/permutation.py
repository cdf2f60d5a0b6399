"""How often chance divides numbers into two groups that differ as much: permutation tests, and Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Literal, NamedTuple

import numpy as np

from app.core.nearest.scores import DoubleArray

Alternative = Literal["greater", "two-sided"]
MAX_EXACT = 3_000_000
"""Divisions that are all counted; of more, some are drawn."""
N_DRAWN = 100_000
_NEARLY = 1e-12
"""Sums that differ by less, of numbers up to 1, differ by rounding alone."""


class PermutationTest(NamedTuple):
    """`p_value` is `n_as_extreme` of `n_partitions`; where these are drawn, the observed division is one of them."""

    p_value: float
    n_as_extreme: int
    n_partitions: int
    is_exact: bool


def permutation_test(
    x: DoubleArray, y: DoubleArray, alternative: Alternative = "greater", *, n_drawn: int = N_DRAWN, seed: int = 0
) -> PermutationTest:
    """Test whether the mean of `x` is greater than that of `y` by more than chance would make it.

    The null hypothesis is that chance divided the numbers into groups of these sizes. Up to `MAX_EXACT` divisions are
    all counted, the observed one too, so that p is a fraction of them. Of more, `n_drawn` are drawn, in none of which a
    number stands twice, and p = (b + 1) / (n_drawn + 1) (Phipson and Smyth 2010).

    Parameters
    ----------
    x, y : float64 (n_x,), (n_y,), neither empty
    alternative : "greater" asks for the difference of means itself, "two-sided" for its absolute value
    n_drawn : how many divisions are drawn where there are too many to count
    seed : of the drawing; the same one gives the same p

    Returns
    -------
    PermutationTest
    """
    if len(x) > len(y):  # the smaller group says the same in fewer numbers
        x, y = -y, -x
    size, n_partitions = len(x), comb(len(x) + len(y), len(x))
    pooled = np.concatenate([x, y])
    pooled = pooled - pooled.mean()
    pooled /= float(np.abs(pooled).max()) or 1.0
    observed = float(pooled[:size].sum())  # the difference of means times a constant, because all numbers sum to 0
    both = alternative == "two-sided"
    bound = (abs(observed) if both else observed) - _NEARLY * len(pooled)
    if n_partitions <= MAX_EXACT:
        n = _n_reaching(pooled, size, bound) + (_n_reaching(-pooled, size, bound) if both else 0)
        n = min(n, n_partitions)  # a bound below 0 is reached from both sides
        return PermutationTest(n / n_partitions, n, n_partitions, is_exact=True)
    sums = _drawn_sums(pooled, size, n_drawn, np.random.default_rng(seed))
    n = 1 + int(((np.abs(sums) if both else sums) >= bound).sum())
    return PermutationTest(n / (n_drawn + 1), n, n_drawn + 1, is_exact=False)


def smallest_p(n_x: int, n_y: int) -> float:
    """The smallest p that groups of these sizes can have."""
    return 1 / comb(n_x + n_y, n_x)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for being several (Holm 1979), in their order."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def _n_reaching(values: DoubleArray, size: int, bound: float) -> int:
    """How many subsets of `size` values have a sum of at least `bound`.

    Subsets of one half of the values are matched with those of the other half, whose sums are sorted.
    """
    first, second = values[: len(values) // 2], values[len(values) // 2 :]
    n = 0
    for taken in range(max(0, size - len(second)), min(size, len(first)) + 1):
        others = np.sort(_sums_of_subsets(second, size - taken))
        n += int((len(others) - np.searchsorted(others, bound - _sums_of_subsets(first, taken))).sum())
    return n


def _sums_of_subsets(values: DoubleArray, size: int) -> DoubleArray:
    subsets = np.array(list(combinations(range(len(values)), size)), np.int64).reshape(comb(len(values), size), size)
    return np.asarray(values[subsets].sum(axis=1))


def _drawn_sums(values: DoubleArray, size: int, n_drawn: int, generator: np.random.Generator) -> DoubleArray:
    """Sums of random subsets, float64 (n_drawn,): value by value, each is taken with the chance that is left for it."""
    sums, needed = np.zeros(n_drawn), np.full(n_drawn, size)
    for n_left, value in zip(range(len(values), 0, -1), values.tolist(), strict=True):
        is_taken = generator.random(n_drawn) * n_left < needed
        sums += value * is_taken
        needed -= is_taken
    return sums
