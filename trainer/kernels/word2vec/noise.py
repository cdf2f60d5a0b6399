"""Draws from the noise distribution by Walker's alias method: two memory words a draw, however many words there are."""

import numpy as np
from numba import njit

from trainer.kernels.hashing import below, lower_half, mixed
from trainer.kernels.memory import ask_for, uint64_at
from trainer.kernels.options import COMPILED, INLINED, KERNEL_OPTIONS

N_TRIES = 16
_SHIFT_32 = np.uint64(32)


@njit(**COMPILED)
def fill_alias_table(probabilities, alias_table, stack):
    """Write the alias table of a distribution (Vose 1991).

    Parameters
    ----------
    probabilities : float64 (n,), summing to 1; overwritten
    alias_table : uint32 (n, 2), overwritten: entry i yields i for draws up to ``alias_table[i, 0]``, and
        ``alias_table[i, 1]`` above
    stack : int64 (n,), scratch
    """
    n = len(probabilities)
    small, large = 0, n
    for i in range(n):
        probabilities[i] *= n
        alias_table[i, 0] = np.uint32(0xFFFFFFFF)
        alias_table[i, 1] = i
        if probabilities[i] < 1.0:
            stack[small] = i
            small += 1
        else:
            large -= 1
            stack[large] = i
    while small > 0 and large < n:
        small -= 1
        less, more = stack[small], stack[large]
        alias_table[less, 0] = np.uint32(max(0.0, np.ceil(probabilities[less] * 4294967296.0) - 1.0))
        alias_table[less, 1] = more
        probabilities[more] -= 1.0 - probabilities[less]
        if probabilities[more] < 1.0:
            large += 1
            stack[small] = more
            small += 1


@njit(**INLINED)
def ask_for_noise(alias_table, n_words, key, counter, n):
    """Ask for the entries that the `n` draws from `counter` on look up: the table is larger than a core's own cache."""
    for k in range(n):
        ask_for(alias_table + 8 * below(mixed(key, counter + np.uint64(k)), n_words))


@njit(**INLINED)
def noise_word(alias_table, n_words, bits):
    """One word id from 64 random bits: the upper half picks the entry, the lower half one of its two words.

    `alias_table` is its address. Both parts of an entry are read at once, so that the choice needs no branch, which
    would be mispredicted half the time.
    """
    entry = below(bits, n_words)
    limit_and_alias = uint64_at(alias_table, entry)
    return np.int64(entry if lower_half(bits) <= lower_half(limit_and_alias) else limit_and_alias >> _SHIFT_32)


@njit(**INLINED)
def noise_word_but(alias_table, n_words, center, key, counter):
    """A noise word other than `center`, and the next unused counter.

    A draw that hits the center is repeated, as in fastText (word2vec.c leaves it out and so uses fewer negatives);
    after `N_TRIES` hits, which only a vocabulary that is nearly one word can cause, the next word id is taken.
    """
    word = noise_word(alias_table, n_words, mixed(key, counter))
    if word != center:
        return word, counter + np.uint64(1)
    return _drawn_again(alias_table, n_words, center, key, counter + np.uint64(1))


@njit(**KERNEL_OPTIONS)
def _drawn_again(alias_table, n_words, center, key, counter):
    for _ in range(N_TRIES - 1):
        word = noise_word(alias_table, n_words, mixed(key, counter))
        counter += np.uint64(1)
        if word != center:
            return word, counter
    return (center + 1) % n_words, counter
