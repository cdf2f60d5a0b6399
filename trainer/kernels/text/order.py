"""Words in the order of a vocabulary: by count, ties by their bytes; arrays as in `trainer.kernels.text.encode`."""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED


@njit(**COMPILED)
def sort_keys(arena, offsets, first, keys):
    """Set ``keys`` uint64 (n_types,) to bytes first..first+7 of each type, in an order that is that of the bytes."""
    for i in range(keys.size):
        key = np.uint64(0)
        for k in range(offsets[i] + first, offsets[i] + first + 8):
            key <<= np.uint64(8)
            if k < offsets[i + 1]:
                key |= np.uint64(arena[k])
        keys[i] = key


@njit(**COMPILED)
def _is_before(arena, offsets, counts, word, other):
    if counts[word] != counts[other]:
        return counts[word] > counts[other]
    start, start_of_other = offsets[word], offsets[other]
    length, length_of_other = offsets[word + 1] - start, offsets[other + 1] - start_of_other
    for k in range(min(length, length_of_other)):
        if arena[start + k] != arena[start_of_other + k]:
            return arena[start + k] < arena[start_of_other + k]
    return length < length_of_other


@njit(**COMPILED)
def _play(arena, offsets, counts, heads, ends, tree, run):
    """Send a run up the tree: it stays below one that is before it, which goes on; the first of all gets to the top."""
    node = (run + heads.size) // 2
    while node:
        other = tree[node]
        if other < 0:
            tree[node] = run
            return
        if heads[run] == ends[run] or (
            heads[other] < ends[other] and _is_before(arena, offsets, counts, heads[other], heads[run])
        ):
            tree[node], run = run, other
        node //= 2
    tree[0] = run


@njit(**COMPILED)
def merge(arena, offsets, counts, heads, ends, tree, merged):
    """Take the next words of several runs, each of which is in order.

    Parameters
    ----------
    arena, offsets, counts : of all words
    heads : int64 (n_runs,), changed: the next word of each run
    ends : int64 (n_runs,), where each run ends
    tree : int64 (n_runs,), -1 before the first call, changed: the run whose word is the next, and below it a tree of
        those that lost to another (Knuth, volume 3, section 5.4.1), so that a word costs one comparison a level
    merged : int32, changed: words, in order; so many must be left
    """
    if tree[0] < 0:
        for run in range(heads.size):
            _play(arena, offsets, counts, heads, ends, tree, run)
    for i in range(merged.size):
        run = tree[0]
        merged[i] = heads[run]
        heads[run] += 1
        _play(arena, offsets, counts, heads, ends, tree, run)


@njit(**COMPILED)
def add_lengths(offsets, picked, out_offsets):
    """Set ``out_offsets`` int64 (n_picked + 1,) but for its first: where the picked types end, one after the other."""
    for i in range(picked.size):
        out_offsets[i + 1] = out_offsets[i] + offsets[picked[i] + 1] - offsets[picked[i]]


@njit(**COMPILED)
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
