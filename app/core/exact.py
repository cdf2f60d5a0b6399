"""Exact nearest neighbours by a scan: FAISS proposes, `app.core.scores` decides."""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

from app.core import scores
from app.core.scores import DoubleArray, FloatArray

MARGIN = 16
"""Candidates beyond those asked for: usually enough to prove that none is missing."""
RESCORED_AT_A_TIME = 32
BLAS_FROM = 400
"""Queries times dimensions from which FAISS multiplies matrices; its own default fits many threads, not one."""

faiss.cvar.distance_compute_blas_threshold = BLAS_FROM

IdArray = npt.NDArray[np.int64]


def use_one_thread() -> None:
    """Keep FAISS on the calling thread, in whichever thread calls this."""
    faiss.omp_set_num_threads(1)


def nearest(unit_vectors: FloatArray, directions: DoubleArray, k: int) -> tuple[IdArray, DoubleArray]:
    """Find the `k` rows of largest cosine to each direction.

    The float32 products of FAISS differ in their last bits between batch sizes, so they only propose. The proposal is
    enough when nothing that was left out can reach the last row kept; otherwise twice as many are asked for.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous
    directions : float64 (n, dim), each of length 1
    k : at most n_words

    Returns
    -------
    ids int64 and scores float64, both (n, k), by falling score, ties by id
    """
    ids, found = np.empty((len(directions), k), np.int64), np.empty((len(directions), k))
    if k == 0:
        return ids, found
    pending, n_candidates = np.arange(len(directions)), min(k + MARGIN, len(unit_vectors))
    while len(pending):
        queries = directions[pending]
        products, candidates = faiss.knn(
            queries.astype(np.float32), unit_vectors, n_candidates, metric=faiss.METRIC_INNER_PRODUCT
        )
        ids[pending], found[pending] = best(unit_vectors, queries, candidates, k)
        if n_candidates == len(unit_vectors):
            break
        pending = pending[products[:, -1] + scores.SLACK >= found[pending, -1]]
        n_candidates = min(2 * n_candidates, len(unit_vectors))
    return ids, found


def best(unit_vectors: FloatArray, directions: DoubleArray, candidates: IdArray, k: int) -> tuple[IdArray, DoubleArray]:
    """Score candidates, int64 (n, m), and keep the `k` best of each row."""
    ids, found = np.empty((len(directions), k), np.int64), np.empty((len(directions), k))
    for start in range(0, len(directions), RESCORED_AT_A_TIME):
        rows = slice(start, start + RESCORED_AT_A_TIME)
        cosines = scores.cosines(unit_vectors, directions[rows], candidates[rows])
        order = scores.ranking(cosines, candidates[rows])[:, :k]
        ids[rows] = np.take_along_axis(candidates[rows], order, 1)
        found[rows] = np.take_along_axis(cosines, order, 1)
    return ids, found
