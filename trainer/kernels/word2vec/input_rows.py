"""Where the row lies that stands for a context word: its own in the table, or the mean of several of them.

What is the mean of several rows, a word's own and those of its n-grams, is composed once, when the windows come near to
its token, in a ring of this thread's scratch. There windows read it and add to it, as they do to a row of the table.
When they have left the token behind, all that it has learnt is added to each of its rows. As in fastText and gensim
(Bojanowski et al. 2017) every row takes the whole step, not its n-th part: so a word moves as far as if it had one row.
"""

import numpy as np
from numba import njit
from numba.extending import overload

from trainer.kernels.memory import int32_at, int64_at, write_int64
from trainer.kernels.options import INLINED, KERNEL_OPTIONS
from trainer.kernels.simd import add_to_rows, prefetch_row, sum_rows
from trainer.kernels.word2vec.replicas import row_address


@njit(**INLINED)
def input_row(at, i):
    """The address of the input row of the token at index `i`, which is read, and to which what it learns is added."""
    if at.ring:
        return at.ring + (i & at.last_slot) * at.ring_stride
    return row_address(at.input_table, at.input_replicas, at.n_replicas, np.int64(int32_at(at.words, i)), at.stride)


@njit(**KERNEL_OPTIONS)
def _list_parts(at, i):
    """Write the addresses of the rows that the token at index `i` is made of; returns how many."""
    word = np.int64(int32_at(at.words, i))
    if word < 0:
        return 0
    start = int64_at(at.part_offsets, word)
    n_parts = int64_at(at.part_offsets, word + 1) - start
    for k in range(n_parts):
        row = np.int64(int32_at(at.part_rows, start + k))
        write_int64(at.parts, k, row_address(at.input_table, at.input_replicas, at.n_replicas, row, at.stride))
    return n_parts


def fetch(at, i, dim):
    """Ask for the cache lines of what the token at index `i` is made of."""
    raise NotImplementedError


@overload(fetch, prefer_literal=True, jit_options={"forceinline": True})
def _fetch(at, i, dim):
    width = dim.literal_value

    def ask(at, i, dim):
        if not at.ring:
            prefetch_row(input_row(at, i), width)
            return
        for k in range(_list_parts(at, i)):
            prefetch_row(int64_at(at.parts, k), width)

    return ask


def slide(at, ring, near, dim):
    """Let the tokens behind `near` leave the ring, and those that have come near enter it.

    Both are the first index and the one after the last; returns `near`, which is what the ring holds then.
    """
    raise NotImplementedError


@overload(slide, prefer_literal=True)
def _slide(at, ring, near, dim):
    width = dim.literal_value

    def move(at, ring, near, dim):
        for i in range(ring[0], min(near[0], ring[1])):
            n_parts = _list_parts(at, i)
            if n_parts > 0:
                row = input_row(at, i)
                change = row + at.ring_stride // 2
                write_int64(at.parts, n_parts, row)
                write_int64(at.parts, n_parts + 1, change)
                sum_rows(at.parts + 8 * n_parts, 2, np.float32(1.0), change, width)
                add_to_rows(at.parts, n_parts, np.float32(1.0), change, width)
        for i in range(max(near[0], ring[1]), near[1]):
            n_parts = _list_parts(at, i)
            if n_parts > 0:
                row = input_row(at, i)
                sum_rows(at.parts, n_parts, np.float32(1.0) / np.float32(n_parts), row, width)
                write_int64(at.parts, 0, row)  # behind it goes its negative, to be added when it leaves
                sum_rows(at.parts, 1, np.float32(-1.0), row + at.ring_stride // 2, width)
        return near

    return move
