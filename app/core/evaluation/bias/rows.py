"""What all measures of bias do with rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.nearest.scores import DoubleArray

Rows = npt.NDArray[np.floating[Any]]
"""Vectors of words, float32 or float64 (n_words, dim)."""


def of_length_1(rows: Rows) -> DoubleArray:
    """The same directions with length 1, float64 (..., dim); rows of zeros stay."""
    wide = rows.astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=-1, keepdims=True))
    return np.asarray(np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0))


def cosines(a: Rows, b: Rows) -> DoubleArray:
    """Cosines of all rows with all others, float64 (len(a), len(b))."""
    return np.asarray(of_length_1(a) @ of_length_1(b).T)
