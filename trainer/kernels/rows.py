"""Rows of floats as the kernels need them: aligned to cache lines, padded with zeros."""

import numpy as np
import numpy.typing as npt

LINE_FLOATS = 16
"""Floats in a cache line."""


def aligned_rows(n_rows: int, n_columns: int) -> npt.NDArray[np.float32]:
    """Zeros, float32 (n_rows, n_columns), starting at a multiple of 64 bytes."""
    buffer = np.zeros(n_rows * n_columns + LINE_FLOATS, np.float32)
    start = -buffer.ctypes.data % 64 // 4
    return buffer[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


def padded(dim: int) -> int:
    """Floats from one table row to the next: whole cache lines."""
    return -(-dim // LINE_FLOATS) * LINE_FLOATS
