"""Words in the order of a vocabulary: by count, ties by their bytes; arrays as in `trainer.kernels.text.encode`."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def sort_keys(arena, offsets, first, keys):
    """Set ``keys`` uint64 (n_types,) to bytes first..first+7 of each type, in an order that is that of the bytes."""
    for i in range(keys.size):
        key = np.uint64(0)
        for k in range(offsets[i] + first, offsets[i] + first + 8):
            key <<= np.uint64(8)
            if k < offsets[i + 1]:
                key |= np.uint64(arena[k])
        keys[i] = key


@njit(nogil=True, cache=True)
def _is_before(arena, offsets, counts, word, other):
    if counts[word] != counts[other]:
        return counts[word] > counts[other]
    start, start_of_other = offsets[word], offsets[other]
    length, length_of_other = offsets[word + 1] - start, offsets[other + 1] - start_of_other
    for k in range(min(length, length_of_other)):
        if arena[start + k] != arena[start_of_other + k]:
            return arena[start + k] < arena[start_of_other + k]
    return length < length_of_other


@njit(nogil=True, cache=True)
def merge(arena, offsets, counts, order, bounds, merged):
    """Merge two runs of words, each of which is in order.

    Parameters
    ----------
    arena, offsets, counts : of all words
    order : int32, words; the runs are its positions from the first to the second of the bounds, and on to the third
    bounds : three positions
    merged : int32, changed: the same positions, in order
    """
    first, middle, last = bounds
    left, right = first, middle
    for i in range(first, last):
        if right == last or (left < middle and _is_before(arena, offsets, counts, order[left], order[right])):
            merged[i] = order[left]
            left += 1
        else:
            merged[i] = order[right]
            right += 1


@njit(nogil=True, cache=True)
def add_lengths(offsets, picked, out_offsets):
    """Set ``out_offsets`` int64 (n_picked + 1,) but for its first: where the picked types end, one after the other."""
    for i in range(picked.size):
        out_offsets[i + 1] = out_offsets[i] + offsets[picked[i] + 1] - offsets[picked[i]]


@njit(nogil=True, cache=True)
def take(arena, offsets, picked, out_offsets, out):
    """Write the bytes of the picked types one after the other.

    Parameters
    ----------
    arena, offsets : of all types
    picked : integers, types
    out_offsets : int64 (n_picked + 1,), where the bytes of each are to be, as long as they are
    out : uint8, changed
    """
    for i in range(picked.size):
        start = offsets[picked[i]] - out_offsets[i]
        for k in range(out_offsets[i], out_offsets[i + 1]):
            out[k] = arena[start + k]
