"""Sparse matrices in rows (CSR): their products with dense ones, and counts."""

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


@njit(**KERNEL_OPTIONS)
def count_parts(
    offsets: Any, words: Any, part_offsets: Any, parts: Any, places: Any, found: Any, columns: Any, counts: Any
) -> None:
    """Count the parts that the words of each text have together.

    Parameters
    ----------
    offsets : int64 (n_texts + 1,), text ``i`` has ``words[offsets[i]]`` to before ``words[offsets[i + 1]]``, read
    words : int32 (n,), read
    part_offsets, parts : int64 (n_words + 1,) and int32, the parts of each word in the same way, read
    places : int64 (n_parts,), -1 before the call, changed
    found : int64 (n_texts + 1,), the first 0 before the call, written: offsets of what is counted
    columns, counts : int32, at least as long as the parts of all words, written: each part of a text once, how often
    """
    end = 0
    for text in range(len(offsets) - 1):
        start = end
        for token in range(offsets[text], offsets[text + 1]):
            for i in range(part_offsets[words[token]], part_offsets[words[token] + 1]):
                part = parts[i]
                if places[part] < start:
                    places[part] = end
                    columns[end] = part
                    counts[end] = 1
                    end += 1
                else:
                    counts[places[part]] += 1
        found[text + 1] = end
