"""Types and their words: what is done with a table of types (see `trainer.kernels.text.encode`) once it is filled."""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED
from trainer.kernels.text.eights import NEWLINE
from trainer.kernels.text.encode import LINE_END, hashed


@njit(**COMPILED)
def mark_ascii(arena, offsets, is_ascii):
    """Set ``is_ascii`` bool (n_types,)."""
    for i in range(is_ascii.size):
        merged = np.uint8(0)
        for k in range(offsets[i], offsets[i + 1]):
            merged |= arena[k]
        is_ascii[i] = merged < 0x80


@njit(**COMPILED)
def write_lines(arena, offsets, picked, out):
    """Write the picked types (int64 ids) to `out` (uint8, changed), a byte 10 after each; returns the bytes written."""
    n = 0
    for i in range(picked.size):
        start, end = offsets[picked[i]], offsets[picked[i] + 1]
        out[n : n + end - start] = arena[start:end]
        n += end - start
        out[n] = NEWLINE
        n += 1
    return n


@njit(**COMPILED)
def share_of(arena, offsets, n_shares, seed, shares):
    """Set ``shares`` uint16 (n_types,) to 0..n_shares-1 by the bytes of each type."""
    for i in range(shares.size):
        value = seed
        for k in range(offsets[i], offsets[i + 1]):
            value = hashed(value ^ np.uint64(arena[k]))
        shares[i] = hashed(value) % np.uint64(n_shares)


@njit(**COMPILED)
def add_words(lines, picked, type_counts, word_counts, starts):
    """Count words by the types that hold them.

    Parameters
    ----------
    lines : int32, for each picked type its word ids and LINE_END
    picked : int64 (n,), type ids
    type_counts : int64 (n_types,)
    word_counts : int64 (n_words,), changed: each word gains the count of its type
    starts : int64 (n_types,), changed: where the line of a type begins in `lines`
    """
    k = 0
    for i in range(picked.size):
        starts[picked[i]] = k
        while lines[k] != LINE_END:
            word_counts[lines[k]] += type_counts[picked[i]]
            k += 1
        k += 1


@njit(**COMPILED)
def resolve(lines, starts, final_ids, single, several):
    """Shorten type -> words -> final ids to one look-up for the common types.

    Parameters
    ----------
    lines, starts : words of each type, as `add_words` leaves them; a start of -1 for a type that is the word of its id
    final_ids : int32 (n_words,), -1 for a word that is left out
    single : int32 (n_types,), changed: the final id, -1 for no word at all, or ``-2 - k`` if the type has several
        words, which stand from ``several[k]`` to the next LINE_END
    several : int32 (>= lines.size,), changed

    Returns
    -------
    int, the length used of `several`
    """
    n = 0
    for i in range(starts.size):
        if starts[i] < 0:
            single[i] = final_ids[i]
            continue
        first = n
        k = starts[i]
        while lines[k] != LINE_END:
            final_id = final_ids[lines[k]]
            if final_id >= 0:
                several[n] = final_id
                n += 1
            k += 1
        if n == first:
            single[i] = -1
        elif n == first + 1:
            single[i] = several[first]
            n = first
        else:
            several[n] = LINE_END
            n += 1
            single[i] = -2 - first
    return n


@njit(**COMPILED)
def expanded_size(raw, single, several):
    """How many positions `expand` may write for `raw`, at most."""
    n = np.int64(0)
    for i in range(raw.size):
        if raw[i] >= 0 and single[raw[i]] < -1:
            k = -2 - single[raw[i]]
            while several[k] != LINE_END:
                n += 1
                k += 1
        else:
            n += 1
    return n


@njit(**COMPILED)
def expand(raw, single, several, out, result):
    """Write the final ids for a block of type ids.

    Parameters
    ----------
    raw : int32, type ids and LINE_END
    single, several : see `resolve`
    out : int32, changed. A LINE_END at its start stands for the line that was open before the block; every other
        one follows a word
    result : int64 (3,), changed: positions written, words among them, whether the block ends within a line
    """
    n = 0
    n_words = 0
    line_open = True
    for i in range(raw.size):
        type_id = raw[i]
        if type_id < 0:
            if line_open:
                out[n] = LINE_END
                n += 1
            line_open = False
            continue
        value = single[type_id]
        if value >= 0:
            out[n] = value
            n += 1
            n_words += 1
            line_open = True
        elif value < -1:
            k = -2 - value
            while several[k] != LINE_END:
                out[n] = several[k]
                n += 1
                n_words += 1
                k += 1
            line_open = True
    result[0], result[1] = n, n_words
    result[2] = n > 0 and out[n - 1] != LINE_END
