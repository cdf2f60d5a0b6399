"""The one way in which scores are computed, rounded and ordered, so that equal questions get equal bytes.

A score is a cosine. Products of two float32 are exact in float64, numpy adds each row by pairwise summation in an order
that depends on the row's length alone, and the sum is rounded to `DECIMALS`. So a score depends neither on the batch,
nor on threads, nor on the library that proposed the candidate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.table.quantised import UnitVectors

DECIMALS = 6

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
IdArray = npt.NDArray[np.integer[Any]]

PAIRS_AT_A_TIME = 2048
"""So that what is multiplied stays in the cache."""


def rounded(scores: DoubleArray) -> DoubleArray:
    """Round to `DECIMALS`, without negative zeros; float64, same shape."""
    return np.round(scores, DECIMALS) + 0.0


def slack(dim: int) -> float:
    """How far apart two float32 products may be although the scores are equal, or in the other order.

    A sum of `dim` products, in any order, is off by at most `dim` units of rounding for vectors of length 1, one more
    for rounding the direction to float32; either product may be, and scores are rounded.
    """
    return 2 * (dim + 2) * 2.0**-24 + 10.0**-DECIMALS


def of_pairs(unit_vectors: UnitVectors, directions: DoubleArray, queries: IdArray, ids: IdArray) -> DoubleArray:
    """Score pairs of a direction and a word.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), or quantised
    directions : float64 (n, dim), each of length 1
    queries, ids : integer (n_pairs,), rows of `directions` and of `unit_vectors`

    Returns
    -------
    float64 (n_pairs,), rounded
    """
    found = np.empty(len(ids))
    for start in range(0, len(ids), PAIRS_AT_A_TIME):
        some = slice(start, start + PAIRS_AT_A_TIME)
        products = unit_vectors[ids[some]].astype(np.float64)
        products *= directions[queries[some]]
        products.sum(axis=1, out=found[some])
    return rounded(found)


def cosines(unit_vectors: UnitVectors, direction: DoubleArray, ids: IdArray) -> DoubleArray:
    """Score one direction, float64 (dim,), against words, integer (n,); float64 (n,), rounded."""
    return of_pairs(unit_vectors, direction[None], np.zeros(len(ids), np.int64), ids)


def cosine(a: DoubleArray, b: DoubleArray) -> float:
    """Score two directions, float64 (dim,) each."""
    return float(rounded((a * b).sum()))


def ranking(scores: DoubleArray, ids: IdArray) -> npt.NDArray[np.intp]:
    """Positions by falling score, ties by rising id, along the last axis."""
    return np.lexsort((ids, -scores), axis=-1)


def direction(vectors: npt.NDArray[np.floating[Any]], weights: npt.ArrayLike) -> DoubleArray | None:
    """The unit float64 (dim,) that the weighted sum of `vectors` (m, dim) points to.

    None if there is no such direction: the vectors cancel out, or the sum is too large to measure.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # too large ends as None
        total = (np.asarray(weights, np.float64)[:, None] * vectors).sum(axis=0)
        length = math.sqrt(float((total * total).sum()))
    return total / length if length > 1e-9 and math.isfinite(length) else None
