"""Vectors of words that are made of parts: the mean of a word's own row and the rows of its n-grams (fastText)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS

_BASIS, _PRIME = np.uint32(2166136261), np.uint32(16777619)


@njit(**KERNEL_OPTIONS)
def compose_words(
    rows: Any,
    spelled: Any,
    starts: Any,
    ends: Any,
    first_id: int,
    n_words: int,
    n_buckets: int,
    sizes: tuple[int, int],
    out: Any,
) -> None:
    """Write the vector of each word: the mean of its row and of the rows of its n-grams, summed in float64.

    As fastText (Bojanowski et al. 2017) does it: n-grams are of characters of UTF-8, of the word between ``<`` and
    ``>``; single marks ``<`` and ``>`` are none; each stands in the row of its hash, FNV-1a of 32 bits over bytes that
    are taken as signed.

    Parameters
    ----------
    rows : uint8 (n_words + n_buckets, 4 * dim), the bytes of float32 numbers, which may lie at any address
    spelled : uint8, words as ``<word>``, one after the other
    starts, ends : int64 (n,), where each is; one that is empty has no n-grams
    first_id : the row of the first word; those that follow have the next
    n_words : rows of words, before those of n-grams
    n_buckets : rows of n-grams; 0: none is used
    sizes : the least and the most characters of an n-gram
    out : float32 (n, dim), written
    """
    dim = out.shape[1]
    one_row = np.empty(4 * dim, np.uint8)
    numbers = one_row.view(np.float32)
    total = np.empty(dim, np.float64)
    for word in range(len(starts)):
        one_row[:] = rows[first_id + word]
        total[:] = numbers
        n_rows = 1
        start, end = starts[word], ends[word]
        for i in range(start, end if n_buckets > 0 else start):
            if _continues(spelled[i]):
                continue
            code, j, n = _BASIS, i, 0
            while j < end and n < sizes[1]:
                code = _hashed(code, spelled[j])
                j += 1
                while j < end and _continues(spelled[j]):
                    code = _hashed(code, spelled[j])
                    j += 1
                n += 1
                if n >= sizes[0] and not (n == 1 and (i == start or j == end)):
                    one_row[:] = rows[n_words + np.int64(code) % n_buckets]
                    total += numbers
                    n_rows += 1
        out[word] = total / n_rows


@njit(**KERNEL_OPTIONS)
def _continues(byte: Any) -> bool:
    """Whether the byte goes on a character of UTF-8."""
    return (byte & 0xC0) == 0x80


@njit(**KERNEL_OPTIONS)
def _hashed(code: Any, byte: Any) -> Any:
    """The hash with one more byte, whose sign goes into the upper bits."""
    return np.uint32((code ^ np.uint32(np.int32(np.int8(byte)))) * _PRIME)
