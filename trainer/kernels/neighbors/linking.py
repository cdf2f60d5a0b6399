"""Links of a search graph, from the nearest of each word: those that lead in different directions, then the nearest.

A neighbour that is nearer to a chosen one than to the word is left out at first: the chosen one leads to it. That is
the rule of Malkov and Yashunin (2018), relaxed as by Subramanya et al. (2019).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS

RELAXED = np.float32(1.1)
"""A neighbour is left out if it is so many times nearer to a chosen one than to the word, in squared distance."""


@njit(**KERNEL_OPTIONS)
def link(vectors, words, nearest, links):
    """Choose the links of some words among their nearest.

    Parameters
    ----------
    vectors : float32 (n_words, dim), each of length 1
    words : int64 (n,); those that are near each other are best beside each other: vectors then are in the cache
    nearest : int32 (n, k), the nearest of each, the nearest first; -1 at the end where there are fewer
    links : int32 (n_words, most), overwritten for these words; -1 at the end where there are fewer
    """
    scores = np.empty(nearest.shape[1], np.float32)
    for i in range(len(words)):
        n_near = 0
        while n_near < len(scores) and nearest[i, n_near] >= 0:
            scores[n_near] = product(vectors, words[i], nearest[i, n_near])
            n_near += 1
        choose(vectors, nearest[i, :n_near], scores, links[words[i]])


@njit(**KERNEL_OPTIONS)
def reversed_links(links):
    """Who links to each word.

    Parameters
    ----------
    links : int32 (n_words, most), -1 at the end where there are fewer

    Returns
    -------
    offsets : int64 (n_words + 1,)
    linking : int32, those that link to word i from ``offsets[i]`` to ``offsets[i + 1]``, rising
    """
    n_words, most = links.shape
    offsets = np.zeros(n_words + 2, np.int64)
    for word in range(n_words):
        for place in range(most):
            if links[word, place] >= 0:
                offsets[links[word, place] + 2] += 1
    for word in range(n_words):
        offsets[word + 2] += offsets[word + 1]
    linking = np.empty(offsets[n_words + 1], np.int32)
    for word in range(n_words):
        for place in range(most):
            other = links[word, place]
            if other >= 0:
                linking[offsets[other + 1]] = word
                offsets[other + 1] += 1
    return offsets[: n_words + 1], linking


@njit(**KERNEL_OPTIONS)
def link_both_ways(vectors, words, links, offsets, linking, both):
    """Give some words their links and those of who links to them, or the best of all these.

    Parameters
    ----------
    vectors, words, links : as of `link`
    offsets, linking : who links to each word, as of `reversed_links`
    both : int32 (n_words, at least as many as `links`), as `links` of `link`
    """
    n_links, most = links.shape[1], both.shape[1]
    for word in words:
        known = np.empty(n_links + offsets[word + 1] - offsets[word], np.int32)
        n_known = 0
        while n_known < n_links and links[word, n_known] >= 0:
            known[n_known] = links[word, n_known]
            n_known += 1
        n_own = n_known
        for place in range(offsets[word], offsets[word + 1]):
            if not is_among(known, n_own, linking[place]):
                known[n_known] = linking[place]
                n_known += 1
        both[word] = -1
        if n_known <= most:
            both[word, :n_known] = known[:n_known]
            continue
        scores = np.empty(n_known, np.float32)
        for place in range(n_known):
            scores[place] = product(vectors, word, known[place])
        order = np.argsort(-scores, kind="mergesort")
        choose(vectors, known[:n_known][order], scores[order], both[word])


@njit(**KERNEL_OPTIONS)
def add_far(links, step, far):
    """Add to every `step`-th word links to more distant ones; what does not fit takes places of the last ones it has.

    Parameters
    ----------
    links : int32 (n_words, most), -1 at the end where there are fewer, changed
    step : which words these are
    far : int32 (at least n_words / step, at most most / 2), likewise
    """
    n_words, most = links.shape
    for word in range(0, n_words, step):
        row, n_links = links[word], 0
        while n_links < most and row[n_links] >= 0:
            n_links += 1
        free, replaced = n_links, n_links
        for other in far[word // step]:
            if other < 0 or is_among(row, free, other):
                continue
            if free < most:
                row[free] = other
                free += 1
            else:
                replaced -= 1
                row[replaced] = other


@njit(**KERNEL_OPTIONS)
def link_lost(links):
    """Link to the words that no other links to, from one that they link to, in place of a word with more links to it.

    Parameters
    ----------
    links : int32 (n_words, most), changed
    """
    n_words, most = links.shape
    n_to = np.zeros(n_words, np.int32)
    for word in range(n_words):
        for place in range(most):
            if links[word, place] >= 0:
                n_to[links[word, place]] += 1
    for word in range(n_words):
        for place in range(most):
            other = links[word, place]
            if n_to[word] or other < 0:
                break
            for last in range(most - 1, -1, -1):
                left = links[other, last]
                if left < 0 or n_to[left] > 1:
                    links[other, last] = word
                    n_to[word] = 1
                    if left >= 0:
                        n_to[left] -= 1
                    break


@njit(**KERNEL_OPTIONS)
def choose(vectors, near, scores, chosen):
    """Write to `chosen`, int32, which of the words `near` are linked to, those with the largest `scores` first."""
    n_chosen, most = 0, len(chosen)
    left_out = np.empty(len(near), np.int32)
    n_left_out = 0
    for place in range(len(near)):
        if n_chosen == most:
            return
        bar = np.float32(1) - (np.float32(1) - scores[place]) / RELAXED
        if leads_elsewhere(vectors, near[place], chosen, n_chosen, bar):
            chosen[n_chosen] = near[place]
            n_chosen += 1
        else:
            left_out[n_left_out] = near[place]
            n_left_out += 1
    n_more = min(n_left_out, most - n_chosen)
    chosen[n_chosen : n_chosen + n_more] = left_out[:n_more]
    chosen[n_chosen + n_more :] = -1


@njit(**KERNEL_OPTIONS)
def leads_elsewhere(vectors, word, chosen, n_chosen, bar):
    """Whether none of the chosen is as near to a word as this bar."""
    for place in range(n_chosen):  # noqa: SIM110 (numba compiles no all())
        if product(vectors, word, chosen[place]) > bar:
            return False
    return True


@njit(**KERNEL_OPTIONS)
def is_among(words, n_words, word):
    for place in range(n_words):  # noqa: SIM110 (numba compiles no any())
        if words[place] == word:
            return True
    return False


@njit(**KERNEL_OPTIONS, fastmath={"reassoc", "contract", "nsz"})
def product(vectors, word, other):
    """The cosine of two words."""
    total = np.float32(0)
    for place in range(vectors.shape[1]):
        total += vectors[word, place] * vectors[other, place]
    return total
