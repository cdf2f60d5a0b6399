"""The rotation that brings one space nearest to another (Schönemann 1966)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.core.nearest.scores import DoubleArray


def rotation(pairs: Iterable[tuple[DoubleArray, DoubleArray]], dim: int) -> DoubleArray:
    """The rotation or reflection R that brings x R nearest to y; float64 (dim, dim).

    Parameters
    ----------
    pairs : blocks of vectors that belong to each other, float64 (n, at most dim) each
    dim : of the larger space; the smaller one is filled up with zeros
    """
    product = np.zeros((dim, dim))
    for first, second in pairs:
        product += wide(first, dim).T @ wide(second, dim)
    left, _, right = np.linalg.svd(product)
    found: DoubleArray = left @ right
    return found


def wide(block: DoubleArray, dim: int) -> DoubleArray:
    """Vectors filled up with zeros to so many dimensions."""
    return np.pad(block, ((0, 0), (0, dim - block.shape[1])))
