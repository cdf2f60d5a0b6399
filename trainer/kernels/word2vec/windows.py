"""Which tokens of a block are kept, and how far each looks."""

import numpy as np
from numba import njit

from trainer.kernels.hashing import below, lower_half, mixed
from trainer.kernels.memory import int32_at, write_int64
from trainer.kernels.word2vec.replicas import row_address

BLOCK = 1024
"""Positions of the corpus in one block: the unit of the learning rate, of random keys and of work."""

LINE_END = -1


@njit(nogil=True, cache=True)
def kept_tokens(ids, block, keep, key, window, words, bits):
    """Write the kept tokens of a block, with the neighbours its windows reach; returns (left, first, last, end).

    Whether a token is kept is a function of `key` and its position alone, so that neighbouring blocks agree on it.

    Parameters
    ----------
    ids : int32 (n_positions,), word ids, negative at a line's end
    keep : uint32 (n_words,), a word is kept if 32 random bits do not exceed its entry
    key : uint64, of this epoch
    words : int32 (2 * window + BLOCK,), overwritten: ``words[first:last]`` are the block's kept tokens and line ends,
        ``words[left:first]`` and ``words[last:end]`` up to `window` kept tokens of the same line before and after
    bits : uint64, as long as words: the random bits of each position; the lower half has been used
    """
    low = block * BLOCK
    high = min(low + BLOCK, len(ids))
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


@njit(nogil=True, cache=True, inline="always")
def drawn_window(bits, window, shrink):
    """The reach of one center: uniform on 1..window if windows shrink, else `window`."""
    if shrink:
        return 1 + below(bits, window)
    return window


@njit(nogil=True, cache=True)
def gather_context(words, center, left, end, reach, contexts, table, replicas, n_replicas, stride):
    """Write the addresses of the rows of the tokens around index `center`, within its line; returns their number.

    Parameters
    ----------
    words : int64, address of what `kept_tokens` wrote; ``words[left:end]`` is read
    contexts : int64, address of int64 (2 * reach,), overwritten
    table, replicas, n_replicas, stride : int64, as for `row_address`
    """
    n = 0
    for i in range(center - 1, max(left, center - reach) - 1, -1):
        word = int32_at(words, i)
        if word < 0:
            break
        write_int64(contexts, n, row_address(table, replicas, n_replicas, np.int64(word), stride))
        n += 1
    for i in range(center + 1, min(end, center + reach + 1)):
        word = int32_at(words, i)
        if word < 0:
            break
        write_int64(contexts, n, row_address(table, replicas, n_replicas, np.int64(word), stride))
        n += 1
    return n
