"""Which tokens of a block are kept, and how far each looks."""

import numpy as np
from numba import njit

from trainer.kernels.hashing import below, lower_half, mixed
from trainer.kernels.memory import int32_at, write_int64
from trainer.kernels.options import COMPILED, INLINED
from trainer.kernels.word2vec.input_rows import input_row

BLOCK_POSITIONS = 1024
"""Positions of the corpus in one block: the unit of the learning rate, of random keys and of work."""


@njit(**COMPILED)
def kept_tokens(ids, block, keep, key, window, words, bits):
    """Write the kept tokens of a block, with the neighbours its windows reach; returns (left, first, last, end).

    Whether a token is kept is a function of `key` and its position alone, so that neighbouring blocks agree on it.

    Parameters
    ----------
    ids : int32 (n_positions,), word ids, negative at a line's end
    block : number of the block
    keep : uint32 (n_words,), a word is kept if 32 random bits do not exceed its entry
    key : uint64, of this epoch
    window : how far windows reach, at most
    words : int32 (2 * window + BLOCK_POSITIONS,), overwritten: ``words[first:last]`` are the block's kept tokens and
        line ends, ``words[left:first]`` and ``words[last:end]`` up to `window` kept tokens of the same line before and
        after
    bits : uint64, as long as words: the random bits of each position; the lower half has been used
    """
    low = block * BLOCK_POSITIONS
    high = min(low + BLOCK_POSITIONS, len(ids))
    left = window
    position = low - 1
    while position >= 0 and left > 0 and ids[position] >= 0:
        drawn = mixed(key, np.uint64(position))
        if lower_half(drawn) <= keep[ids[position]]:
            left -= 1
            words[left] = ids[position]
        position -= 1
    last = window
    for position in range(low, high):
        word = ids[position]
        drawn = mixed(key, np.uint64(position))
        words[last] = word
        bits[last] = drawn
        if word < 0 or lower_half(drawn) <= keep[word]:
            last += 1
    end = last
    position = high
    while position < len(ids) and end < last + window and ids[position] >= 0:
        drawn = mixed(key, np.uint64(position))
        if lower_half(drawn) <= keep[ids[position]]:
            words[end] = ids[position]
            end += 1
        position += 1
    return left, window, last, end


@njit(**COMPILED, inline="always")
def drawn_window(bits, window, shrink):
    """The reach of one center: uniform on 1..window if windows shrink, else `window`."""
    if shrink:
        return 1 + below(bits, window)
    return window


@njit(**INLINED)
def gather_context(at, center, left, end, reach):
    """Write the addresses of the rows of the tokens around index `center`, within its line; returns their number.

    Parameters
    ----------
    at : Addresses; of its words, which `kept_tokens` wrote, ``words[left:end]`` is read; the first 2 * reach of its
        contexts are overwritten
    center : index among the words
    left, end : the words that windows may reach
    reach : how many kept tokens on one side
    """
    n = 0
    for i in range(center - 1, max(left, center - reach) - 1, -1):
        word = int32_at(at.words, i)
        if word < 0:
            break
        write_int64(at.contexts, n, input_row(at, i))
        n += 1
    for i in range(center + 1, min(end, center + reach + 1)):
        word = int32_at(at.words, i)
        if word < 0:
            break
        write_int64(at.contexts, n, input_row(at, i))
        n += 1
    return n
