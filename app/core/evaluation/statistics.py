"""Scores from outcomes, and how sure they are. All draws have one fixed seed: the same outcomes give the same bounds.

Differences are paired: both versions are judged by the questions that both cover. Questions of a section share words
and are not independent, so that sections are drawn, not questions, wherever there are enough of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.evaluation.results import Interval, Outcomes

N_DRAWS = 2000
MIN_SECTIONS = 5
"""With fewer, questions are drawn."""
MIN_ITEMS = 3
PERCENTILES = (2.5, 97.5)
_DRAWN_AT_ONCE = 1 << 21
Floats = npt.NDArray[np.float64]


def ranks(values: Floats) -> Floats:
    """Ranks from 0 along the last axis; equal values share the mean of theirs."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    n = values.shape[-1]
    places = np.arange(n)
    is_new = np.ones(values.shape, bool)
    is_new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    first = np.maximum.accumulate(np.where(is_new, places, 0), axis=-1)
    is_last = np.ones(values.shape, bool)
    is_last[..., :-1] = is_new[..., 1:]
    last = np.minimum.accumulate(np.where(is_last, places, n)[..., ::-1], axis=-1)[..., ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2, axis=-1)
    return found


def spearman(a: Floats, b: Floats) -> Floats:
    """Correlation of ranks along the last axis; 0 where all values of a side are equal."""
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    lengths = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.asarray(np.divide((a * b).sum(axis=-1), lengths, out=np.zeros_like(lengths), where=lengths > 0))


class Difference(NamedTuple):
    """The second less the first, over the questions that both cover."""

    n: int
    a: float
    b: float
    interval: Interval


def score(outcomes: Outcomes) -> tuple[float, Interval] | None:
    """The main score and its interval, or None where too little is covered."""
    values = _numbers(outcomes)
    covered = np.flatnonzero(~np.isnan(values))
    if len(covered) < MIN_ITEMS:
        return None
    return _judge(outcomes, covered, lambda items: _statistic(outcomes, values, items))


def difference(a: Outcomes, b: Outcomes) -> Difference | None:
    """How much better `b` answered the same questions, or None where too few are covered by both."""
    first, second = _numbers(a), _numbers(b)
    common = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
    if len(common) < MIN_ITEMS:
        return None

    def statistic(items: npt.NDArray[np.int64]) -> Floats:
        return _statistic(b, second, items) - _statistic(a, first, items)

    everything = common[None, :]
    _, interval = _judge(a, common, statistic)
    return Difference(
        len(common),
        float(_statistic(a, first, everything)[0]),
        float(_statistic(b, second, everything)[0]),
        interval,
    )


def _numbers(outcomes: Outcomes) -> Floats:
    return np.array([np.nan if value is None else value for value in outcomes.values], np.float64)


def _statistic(outcomes: Outcomes, values: Floats, items: npt.NDArray[np.int64]) -> Floats:
    """Of each row of items: the mean, or with `gold` the correlation."""
    if outcomes.gold:
        return spearman(values[items], np.array(outcomes.gold)[items])
    return np.asarray(values[items].mean(axis=-1))


def _judge(
    outcomes: Outcomes, covered: npt.NDArray[np.int64], statistic: Callable[[npt.NDArray[np.int64]], Floats]
) -> tuple[float, Interval]:
    """The statistic of all covered questions, and bounds by drawing them, or their sections, with replacement."""
    value = float(statistic(covered[None, :])[0])
    generator = np.random.default_rng(0)
    section = np.searchsorted(np.array(outcomes.starts, np.int64), covered, side="right")
    names, sizes = np.unique(section, return_counts=True)
    if len(names) >= MIN_SECTIONS and not outcomes.gold:
        # the mean of questions in drawn sections needs no more than each section's sum and size
        parts = np.split(covered, np.cumsum(sizes)[:-1])
        sums = np.array([float(statistic(part[None, :])[0]) * len(part) for part in parts])
        drawn = generator.integers(len(parts), size=(N_DRAWS, len(parts)))
        found = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
        low, high = np.percentile(found, PERCENTILES)
        return value, Interval(low=float(low), high=float(high), over="sections")
    rows = max(1, _DRAWN_AT_ONCE // len(covered))
    pieces = []
    for start in range(0, N_DRAWS, rows):
        drawn = generator.integers(len(covered), size=(min(rows, N_DRAWS - start), len(covered)))
        pieces.append(statistic(covered[drawn]))
    low, high = np.percentile(np.concatenate(pieces), PERCENTILES)
    return value, Interval(low=float(low), high=float(high), over="items")
