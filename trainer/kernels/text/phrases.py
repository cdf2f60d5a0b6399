"""Pairs of words that stand beside each other: count them, and write them as one word."""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED
from trainer.kernels.text.encode import LINE_END, hashed

FREE = np.int64(-1)


@njit(**COMPILED)
def count_pairs(ids, start, is_frequent, keys, counts):
    """Count pairs of frequent words from position `start` on, until the table is a quarter full.

    Parameters
    ----------
    ids : int32 (n,), words and LINE_END
    start : the first pair's place
    is_frequent : bool (n_words,)
    keys : int64 (n_slots,), a power of two, changed: ``first * n_words + second``, FREE where there is none
    counts : int64 (n_slots,), changed

    Returns
    -------
    (place, n) : where to go on, ``n - 1`` at the end, and how many slots were taken
    """
    n_words = is_frequent.size
    mask = np.uint64(keys.size - 1)
    taken = 0
    for i in range(start, ids.size - 1):
        first, second = ids[i], ids[i + 1]
        if min(first, second) < 0 or not is_frequent[first] or not is_frequent[second]:
            continue
        key = np.int64(first) * n_words + second
        slot = hashed(np.uint64(key)) & mask
        while keys[slot] != FREE and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == FREE:
            keys[slot] = key
            taken += 1
        counts[slot] += 1
        if 4 * taken > keys.size:
            return i + 1, taken
    return max(ids.size - 1, 0), taken


@njit(**COMPILED)
def add_pairs(keys, counts, new_keys, new_counts):
    """Put the pairs of one table into a larger one, which is changed."""
    mask = np.uint64(new_keys.size - 1)
    for i in range(keys.size):
        if keys[i] == FREE:
            continue
        slot = hashed(np.uint64(keys[i])) & mask
        while new_keys[slot] != FREE and new_keys[slot] != keys[i]:
            slot = (slot + np.uint64(1)) & mask
        new_keys[slot] = keys[i]
        new_counts[slot] += counts[i]


@njit(**COMPILED)
def join_pairs(ids, n_words, pairs, joined, out):
    """Write each pair as its joined word, from left to right.

    Parameters
    ----------
    ids : int32 (n,), words and LINE_END
    n_words : of which keys are made
    pairs : int64 (n_pairs,), rising: keys as above
    joined : int32 (n_pairs,), the word of each
    out : int32 (n,), changed; may be `ids`

    Returns
    -------
    int, how many positions were written
    """
    n, i = 0, 0
    while i < ids.size:
        word = ids[i]
        if word != LINE_END and i + 1 < ids.size and ids[i + 1] != LINE_END:
            key = np.int64(word) * n_words + ids[i + 1]
            place = np.searchsorted(pairs, key)
            if place < pairs.size and pairs[place] == key:
                word = joined[place]
                i += 1
        out[n] = word
        n += 1
        i += 1
    return n


@njit(**COMPILED)
def keep_words(ids, ranks, out):
    """Write words by their new ids, without those of id -1 and without lines that have none left.

    Parameters
    ----------
    ids : int32 (n,), words and LINE_END
    ranks : int32 (n_words,), new ids
    out : int32 (n,), changed; may be `ids`

    Returns
    -------
    (n, n_lines) : positions written, and LINE_ENDs among them
    """
    n, n_lines = 0, 0
    for i in range(ids.size):
        if ids[i] == LINE_END:
            if n and out[n - 1] != LINE_END:
                out[n] = LINE_END
                n += 1
                n_lines += 1
        elif ranks[ids[i]] >= 0:
            out[n] = ranks[ids[i]]
            n += 1
    return n, n_lines
