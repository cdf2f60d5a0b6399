"""Lines that are written once more with some words swapped."""

from __future__ import annotations

from numba import njit

from trainer.kernels.options import COMPILED
from trainer.kernels.text.encode import LINE_END


@njit(**COMPILED)
def count_swapped(ids, partners, counts, sizes):
    """Count what `write_swapped` will write.

    Parameters
    ----------
    ids : int32 (n_positions,), words and a LINE_END after each line
    partners : int32 (n_words,), what each word becomes, itself for most
    counts : int64 (n_words,), changed: each word gains its occurrences in all lines
    sizes : int64 (3,), changed: gains positions, lines that are written again, and words swapped in them
    """
    start = 0
    n_swapped = 0
    for i in range(ids.size):
        if ids[i] != LINE_END:
            counts[ids[i]] += 1
            n_swapped += partners[ids[i]] != ids[i]
            continue
        if n_swapped:
            for k in range(start, i):
                counts[partners[ids[k]]] += 1
            sizes[0] += i + 1 - start
            sizes[1] += 1
            sizes[2] += n_swapped
        sizes[0] += i + 1 - start
        start = i + 1
        n_swapped = 0


@njit(**COMPILED)
def write_swapped(ids, partners, ranks, out):
    """Write each line, and after it the same line with its words swapped if it has any to swap.

    Parameters
    ----------
    ids, partners : see `count_swapped`
    ranks : int32 (n_words,), the new id of each word
    out : int32, changed, as long as `count_swapped` says
    """
    start = 0
    n = 0
    is_swapped = False
    for i in range(ids.size):
        if ids[i] != LINE_END:
            is_swapped |= partners[ids[i]] != ids[i]
            continue
        for k in range(start, i):
            out[n] = ranks[ids[k]]
            n += 1
        out[n] = LINE_END
        n += 1
        if is_swapped:
            for k in range(start, i):
                out[n] = ranks[partners[ids[k]]]
                n += 1
            out[n] = LINE_END
            n += 1
        start = i + 1
        is_swapped = False
