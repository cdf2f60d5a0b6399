"""How far trainings that differ in their seeds alone agree about neighbours: the rest is chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import Neighbors
from app.core.table.vocabulary import Vocabulary

NEAREST = 10
"""A neighbour is found if it is among so many of a replica, or among as many as its rank, if that is more."""
FREQUENCIES = (20, 100, 500, 2000)
"""Counts at which the means of more frequent words begin anew."""
BLOCK = 1 << 12
Ids = npt.NDArray[np.int32]


def agreement(neighbors: Neighbors, replicas: Sequence[Ids]) -> npt.NDArray[np.uint8]:
    """In how many trainings, the published one among them, each stored neighbour is found; uint8 (n_covered, k).

    Parameters
    ----------
    neighbors : of the published training
    replicas : of the others, the nearest words of the same ones by the same ids, int32 (n_covered, k) each
    """
    n_covered, k = neighbors.ids.shape
    found = np.ones((n_covered, k), np.uint8)
    n_looked_at = np.maximum(np.arange(1, k + 1), NEAREST)
    for ids in replicas:
        for start in range(0, n_covered, BLOCK):
            rows = slice(start, start + BLOCK)
            is_same = neighbors.ids[rows, :, None] == ids[rows, None, :]
            place = np.where(is_same.any(axis=2), is_same.argmax(axis=2), k + NEAREST)
            found[rows] += place < n_looked_at
    return found


def facts(agreed: npt.NDArray[np.uint8], vocabulary: Vocabulary, n_trainings: int) -> dict[str, Any]:
    """The mean share of the ten nearest that another training has as well, by the words' frequency."""
    others = (agreed[:, :NEAREST].astype(np.float64) - 1) / (n_trainings - 1)
    shares = others.mean(axis=1) if others.size else np.ones(len(others))
    counts = vocabulary.counts[: len(shares)]
    edges = [1, *FREQUENCIES]
    bins = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        of_bin = (counts >= low) & (counts < high) if high else counts >= low
        if of_bin.any():
            bins.append({"min_count": low, "n_words": int(of_bin.sum()), "overlap_at_10": _mean(shares[of_bin])})
    return {"replicas": n_trainings, "overlap_at_10": _mean(shares), "by_frequency": bins}


def _mean(shares: npt.NDArray[np.float64]) -> float:
    return round(float(shares.mean()), 4)
