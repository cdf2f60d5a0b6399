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

DECIMALS = 6
SLACK = 2e-5
"""No float32 product of unit vectors is further than this from the exact one (300 dimensions, any order)."""

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
IdArray = npt.NDArray[np.integer[Any]]


def rounded(scores: DoubleArray) -> DoubleArray:
    """Round to `DECIMALS`, without negative zeros; float64, same shape."""
    return np.round(scores, DECIMALS) + 0.0


def cosines(unit_vectors: FloatArray, directions: DoubleArray, ids: IdArray) -> DoubleArray:
    """Score each direction against candidates of its own.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim)
    directions : float64 (n, dim), each of length 1
    ids : integer (n, k), rows of `unit_vectors`

    Returns
    -------
    float64 (n, k), rounded
    """
    products = unit_vectors[ids].astype(np.float64)
    products *= directions[:, None, :]
    return rounded(products.sum(axis=2))


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
