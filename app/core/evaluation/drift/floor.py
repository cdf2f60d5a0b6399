"""How much words of each frequency seem to change by chance, and who changed more than that."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from app.core.evaluation.drift.measures import LOCAL_NEIGHBORS, overlaps, surroundings
from app.core.evaluation.drift.spaces import IdArray, Pair, Space
from app.core.nearest.scores import DoubleArray

FLOOR_METRIC = "drift_floor"
"""Where a manifest's metrics have the floor that was measured with replicas."""
N_BINS = 10
BIN_WORDS = 200
"""At least so many share a bin, or all do."""
MIN_COUNT = 20
"""Of the words that a floor of replicas is measured with."""
MAX_WORDS = 100_000
SMALLEST_SHIFT = 1e-3
"""Smaller ones are no change: float32 and the rounding of numbers make some."""
SMALLEST_SCALE = 0.01
NORMAL_MAD = 1.4826
"""The standard deviation of a normal distribution by its median absolute deviation."""


class Bin(BaseModel):
    """What chance does to words of similar frequency.

    `edge` is the lowest count, or the highest rank, of its words. `center` and `scale` are the median of the logarithms
    of their shifts, which are nearly normal, and the deviation, estimated by the median absolute one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edge: int
    n_words: int
    center: float
    scale: float
    overlap_at_10: float


class Floor(BaseModel):
    """The bins, from the most frequent words to the rarest; words beyond the last one are in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["count", "rank"]
    k: int
    bins: tuple[Bin, ...]

    def bin_of(self, rarity: IdArray) -> IdArray:
        """Which bin words are in, by what `Pair.rarity` says of them."""
        sign = -1 if self.by == "count" else 1
        edges = np.array([sign * each.edge for each in self.bins[:-1]], np.int64)
        return np.searchsorted(edges, rarity, side="left")


class Significance(NamedTuple):
    """How far words are beyond the floor, float64 (n,) each: in deviations, and how probable by chance."""

    z: DoubleArray
    p: DoubleArray


def floor_of_replicas(first: Space, second: Space) -> dict[str, Any] | None:
    """Measure the noise of a training by two that differ in their seeds alone; JSON for a manifest.

    Parameters
    ----------
    first, second : what both trainings on the same text gave, with the same neighbour tables as versions have

    Returns
    -------
    The floor, or None if no word is frequent enough
    """
    pair = Pair.of(first, second)
    words = pair.considered(min_count=MIN_COUNT, max_words=MAX_WORDS)
    if not len(words.first):
        return None
    found = surroundings(pair, words)
    floor = floor_of(pair, pair.rarity(words), found.shift(found.ratio), overlaps(pair, words))
    return floor.model_dump(mode="json")


def floor_of(pair: Pair, rarity: IdArray, shift: DoubleArray, overlap: DoubleArray) -> Floor:
    """What is usual between two spaces for words of each frequency.

    Medians, because words that really changed are among these, too, if the spaces come from different texts.

    Parameters
    ----------
    pair : Pair
    rarity, shift, overlap : of at least one word, (n,) each
    """
    n_bins = max(1, min(N_BINS, len(rarity) // BIN_WORDS))
    edges = np.unique([part[-1] for part in np.array_split(np.sort(rarity), n_bins)])
    places = np.searchsorted(edges, rarity, side="left")
    bins = []
    for number, edge in enumerate(edges.tolist()):
        of_bin = places == number
        values = logarithm(shift[of_bin])
        center = float(np.median(values))
        scale = NORMAL_MAD * float(np.median(np.abs(values - center)))
        mean = float(overlap[of_bin].mean())
        bins.append(
            Bin(
                edge=abs(edge),
                n_words=int(of_bin.sum()),
                center=round(center, 6),
                scale=round(max(scale, SMALLEST_SCALE), 6),
                overlap_at_10=round(mean, 6),
            )
        )
    return Floor(by="count" if pair.counts_known else "rank", k=LOCAL_NEIGHBORS, bins=tuple(bins))


def logarithm(shift: DoubleArray) -> DoubleArray:
    """Of shifts, those below `SMALLEST_SHIFT` alike; float64, same shape."""
    return np.log(np.maximum(shift, SMALLEST_SHIFT))


def significance(floor: Floor, rarity: IdArray, shift: DoubleArray) -> Significance:
    """Test words one by one against the floor of their frequency, one-sided: only a larger shift is a change."""
    places = floor.bin_of(rarity)
    centers = np.array([each.center for each in floor.bins])[places]
    scales = np.array([each.scale for each in floor.bins])[places]
    z = (logarithm(shift) - centers) / scales
    return Significance(z, np.array([math.erfc(value / math.sqrt(2)) / 2 for value in z.tolist()]))


def benjamini_hochberg(p: DoubleArray) -> DoubleArray:
    """For each test the smallest share of false discoveries at which it is one (1995); float64 (n,)."""
    order = np.argsort(p, kind="stable")
    n = len(p)
    scaled = p[order] * n / np.arange(1, n + 1)
    found = np.empty(n)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return found
