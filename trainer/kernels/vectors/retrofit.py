"""Sweeps of retrofitting over a lexicon."""

from __future__ import annotations

from typing import Any

from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS


@njit(**KERNEL_OPTIONS)
def sweep(original: Any, neighbors: Any, offsets: Any, vectors: Any) -> float:
    """One sweep of Gauss and Seidel in the order of the words; returns the sum of squares of all changes.

    Parameters
    ----------
    original : float64 (n_words, dim), what the vectors were at first, read
    neighbors : int64 (n_neighbors,), ids, read
    offsets : int64 (n_words + 1,), word ``i`` has ``neighbors[offsets[i]:offsets[i + 1]]``, read
    vectors : float64 (n_words, dim), changed
    """
    change = 0.0
    dim = vectors.shape[1]
    for word in range(len(offsets) - 1):
        n = offsets[word + 1] - offsets[word]
        if n == 0:
            continue
        for column in range(dim):
            total = n * original[word, column]
            for place in range(offsets[word], offsets[word + 1]):
                total += vectors[neighbors[place], column]
            value = total / (2 * n)
            change += (value - vectors[word, column]) ** 2
            vectors[word, column] = value
    return change
