"""Compare the words of two loaded versions: one comparison at a time, and the last ones are kept."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from app.core.errors import InvalidRequest, Overloaded
from app.core.evaluation.drift.floor import (
    FLOOR_METRIC,
    Floor,
    Significance,
    benjamini_hochberg,
    floor_of,
    significance,
)
from app.core.evaluation.drift.measures import LOCAL_NEIGHBORS, aligned_cosines, overlaps, rotation, surroundings
from app.core.evaluation.drift.spaces import Pair, Space, Words
from app.core.nearest.scores import DoubleArray
from app.models.drift.schemas import FloorKind
from app.serving.version import ServedVersion

MOST_WORDS = 1_000_000
"""Of a version; the words of both are in memory meanwhile, some 250 bytes each."""
MAX_WAITING = 16
MAX_KEPT = 8

_pool = ThreadPoolExecutor(1, "drift")
_slots = threading.BoundedSemaphore(MAX_WAITING)
T = TypeVar("T")


@dataclass(frozen=True)
class Chosen:
    """Which words are considered, and against which floor; None for that of replicas where there is one."""

    min_count: int
    max_words: int
    floor: FloorKind | None


class Scales(NamedTuple):
    """What makes two spaces comparable: the ratio of their cosines, and the rotation from one to the other."""

    ratio: float
    turn: DoubleArray


@dataclass(frozen=True, eq=False)
class Measured:
    """Words and how much they changed, float64 (n,) each."""

    words: Words
    shift: DoubleArray
    likeness: DoubleArray
    aligned: DoubleArray
    overlap: DoubleArray
    significance: Significance


@dataclass(frozen=True, eq=False)
class Compared:
    """All words considered. It holds no table, so that keeping it keeps no version in memory."""

    n_shared: int
    measured: Measured
    q: DoubleArray
    floor: Floor
    floor_kind: FloorKind
    overlap_floor: float | None
    scales: Scales


_kept: OrderedDict[tuple[str, str, Chosen], Compared] = OrderedDict()  # used by the one thread of the pool alone


async def in_turn(work: Callable[[], T]) -> T:
    """Run it on the one thread of all comparisons.

    Raises
    ------
    Overloaded
    """
    if not _slots.acquire(blocking=False):
        raise Overloaded
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work)
    finally:
        _slots.release()


def compared(first: ServedVersion, second: ServedVersion, chosen: Chosen) -> Compared:
    """Compare two versions, or find the comparison that was kept; called on the thread of `in_turn`."""
    key = (first.published.manifest_sha256, second.published.manifest_sha256, chosen)
    found = _kept.pop(key, None) or _compare(pair_of(first, second), _stored_floor(first, second), chosen)
    _kept[key] = found
    while len(_kept) > MAX_KEPT:
        _kept.popitem(last=False)
    return found


def pair_of(first: ServedVersion, second: ServedVersion) -> Pair:
    """Both spaces; raises `InvalidRequest` if one is too large."""
    for version in (first, second):
        n_words = version.table.manifest.n_words
        if n_words > MOST_WORDS:
            raise InvalidRequest(
                f"Version {version.number} has {n_words:,} words; versions of up to {MOST_WORDS:,} are compared. "
                "Derive one of fewer words (prune:max_words) and compare that.",
                limit=MOST_WORDS,
            )
    return Pair.of(Space.of(first.table), Space.of(second.table))


def measure(pair: Pair, words: Words, scales: Scales | None, floor: Floor | None) -> tuple[Measured, Scales, Floor]:
    """Measure words; what is not given of how to compare them is made of these words themselves."""
    found, overlap, rarity = surroundings(pair, words), overlaps(pair, words), pair.rarity(words)
    scales = scales or Scales(found.ratio, rotation(pair))
    shift = found.shift(scales.ratio)
    floor = floor or floor_of(pair, rarity, shift, overlap)
    aligned = aligned_cosines(pair, words, scales.turn)
    return Measured(words, shift, found.likeness(), aligned, overlap, significance(floor, rarity, shift)), scales, floor


def _compare(pair: Pair, stored: Floor | None, chosen: Chosen) -> Compared:
    words = pair.considered(min_count=chosen.min_count, max_words=chosen.max_words)
    if not len(words.first):
        raise InvalidRequest(
            f"None of the {len(pair.shared.first):,} words that both versions have is among the words considered "
            f"(min_count {chosen.min_count}, max_words {chosen.max_words})."
        )
    if stored and (stored.k != LOCAL_NEIGHBORS or (stored.by == "count") != pair.counts_known):
        stored = None
    if chosen.floor == "replicas" and not stored:
        raise InvalidRequest("Neither version has a floor that was measured with replicas.")
    given = None if chosen.floor == "estimated" else stored
    measured, scales, floor = measure(pair, words, None, given)
    expected = np.array([each.overlap_at_10 for each in floor.bins])[floor.bin_of(pair.rarity(words))]
    return Compared(
        n_shared=len(pair.shared.first),
        measured=measured,
        q=benjamini_hochberg(measured.significance.p),
        floor=floor,
        floor_kind="replicas" if given else "estimated",
        overlap_floor=float(expected.mean()) if given else None,
        scales=scales,
    )


def _stored_floor(first: ServedVersion, second: ServedVersion) -> Floor | None:
    """The newer version's own, or else the older one's."""
    for version in (second, first):
        if told := version.table.manifest.metrics.get(FLOOR_METRIC):
            return Floor.model_validate(told)
    return None
