"""Exact nearest neighbours by a scan: float32 matrix products propose, `app.core.nearest.scores` decides."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from app.core.nearest import scores
from app.core.nearest.proposals import Allowed, IdArray, proposed
from app.core.nearest.scores import DoubleArray
from app.core.table.quantised import UnitVectors

PRODUCTS_AT_A_TIME = 1 << 24
"""Bounds the memory of a scan: 64 MiB, more only where one direction alone needs it."""


def one_thread_a_scan() -> AbstractContextManager[object]:
    """Keep each scan on its calling thread, in this whole process; as a context manager, until its end.

    Several scans at a time are what uses several cores, without waiting for each other's threads.
    """
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def nearest(
    unit_vectors: UnitVectors, directions: DoubleArray, k: int, allowed: Sequence[Allowed | None] = ()
) -> tuple[IdArray, DoubleArray]:
    """Find the `k` rows of largest cosine to each direction.

    Many directions share each pass over the vectors. Products of float32 differ in their last bits between batch
    sizes, so they only propose, and enough of them that nothing left out can be among the answers.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous, or quantised
    directions : float64 (n, dim), each of length 1
    k : at most n_words
    allowed : which rows each direction may find, None for all; empty if all may find all

    Returns
    -------
    ids int64 and scores float64, (n, k) each: by falling score, ties by rising id; where a direction may find fewer
    rows, -1 and -inf at the end
    """
    ids, found = np.empty((len(directions), k), np.int64), np.empty((len(directions), k))
    at_a_time = max(1, PRODUCTS_AT_A_TIME // max(1, len(unit_vectors)))
    for start in range(0, len(directions) if k else 0, at_a_time):
        rows = slice(start, start + at_a_time)
        pairs = proposed(unit_vectors, directions[rows], k, allowed[rows])
        ids[rows], found[rows] = best(unit_vectors, directions[rows], *pairs, k)
    return ids, found


def nearest_others(unit_vectors: UnitVectors, rows: IdArray, k: int) -> tuple[IdArray, DoubleArray]:
    """Find the `k` rows of largest cosine to each of some rows, itself left out; as `nearest`, `k` below n_words."""
    ids, found = nearest(unit_vectors, unit_vectors[rows].astype(np.float64), k + 1)
    kept = are_others(ids, rows)
    return ids[kept].reshape(len(rows), k), found[kept].reshape(len(rows), k)


def are_others(ids: IdArray, rows: IdArray) -> npt.NDArray[np.bool_]:
    """Which of the k + 1 nearest of each row are kept as its k others: all but itself, or else all but the last.

    The row is not among them where so many vectors are equal to it.
    """
    kept: npt.NDArray[np.bool_] = ids != rows[:, None]
    kept[kept.all(axis=1), -1] = False
    return kept


def best(
    unit_vectors: UnitVectors, directions: DoubleArray, queries: IdArray, candidates: IdArray, k: int
) -> tuple[IdArray, DoubleArray]:
    """Score pairs and keep the `k` best of each direction.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous, or quantised
    directions : float64 (n, dim), each of length 1
    queries, candidates : int64 (n_pairs,), rows of `directions` and of `unit_vectors`
    k : how many to keep

    Returns
    -------
    ids int64 and scores float64, (n, k) each; where a direction has fewer candidates, -1 and -inf at the end
    """
    cosines = scores.of_pairs(unit_vectors, directions, queries, candidates)
    order = np.lexsort((candidates, -cosines, queries))
    queries = queries[order]
    place = np.arange(len(order)) - np.searchsorted(queries, np.arange(len(directions)))[queries]
    kept = place < k
    ids, found = np.full((len(directions), k), -1, np.int64), np.full((len(directions), k), -np.inf)
    ids[queries[kept], place[kept]] = candidates[order[kept]]
    found[queries[kept], place[kept]] = cosines[order[kept]]
    return ids, found
