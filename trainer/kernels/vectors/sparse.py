"""Products of a sparse matrix in rows (CSR) with a dense one."""

from __future__ import annotations

from typing import Any

from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS


@njit(**KERNEL_OPTIONS)
def times(offsets: Any, columns: Any, values: Any, dense: Any, out: Any) -> None:
    """Write ``sparse @ dense`` into `out`.

    Parameters
    ----------
    offsets : int64 (n_rows + 1,), row ``i`` has the entries ``offsets[i]`` to before ``offsets[i + 1]``, read
    columns : int32 (n_entries,), read
    values : float32 (n_entries,), read
    dense : float64 (n_columns, n), C-contiguous, read
    out : float64 (n_rows, n), written
    """
    n = dense.shape[1]
    for row in range(len(offsets) - 1):
        for i in range(n):
            out[row, i] = 0.0
        for place in range(offsets[row], offsets[row + 1]):
            for i in range(n):
                out[row, i] += values[place] * dense[columns[place], i]


@njit(**KERNEL_OPTIONS)
def transposed_times(offsets: Any, columns: Any, values: Any, dense: Any, out: Any) -> None:
    """Add ``sparse.T @ dense`` to `out`.

    Parameters
    ----------
    offsets, columns, values : the sparse matrix, as of `times`
    dense : float64 (n_rows, n), C-contiguous, read
    out : float64 (n_columns, n), changed
    """
    n = dense.shape[1]
    for row in range(len(offsets) - 1):
        for place in range(offsets[row], offsets[row + 1]):
            for i in range(n):
                out[columns[place], i] += values[place] * dense[row, i]
