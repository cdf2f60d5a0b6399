"""The candidates of each word: those whose scores reach the word's bar, which rises as better ones come.

Of the scores that a word has seen, at least k are as large as its bar and `slack`. So no score below the bar can belong
to one of the k nearest, and nearly all scores of a large table are below.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.memory import (
    ask_for,
    float32_at,
    int32_at,
    int64_at,
    write_float32,
    write_int32,
    write_int64,
)
from trainer.kernels.neighbors.masks import (
    WIDTH,
    every_other_reaching,
    lowest_bit,
    n_bits,
    reaching,
    reaching_each,
)
from trainer.kernels.options import KERNEL_OPTIONS

CAPACITY = 2 * WIDTH
"""Candidates of a word. The more there are, the less often a bar rises; the fewer, the less memory."""
MOST_KEPT = CAPACITY - WIDTH // 4
"""More near ties than this leave no room for others: such a word is given up."""
LARGEST = np.float32(2.0)
"""No cosine, whatever its errors of rounding, is as large."""
HALVINGS, SPARE = 24, 2
"""The search for a bar ends after so many steps, or when it is reached by at most so many more than k."""
AHEAD = 8
"""So many hits ahead, the places of candidates are asked for: they lie far apart, and not in the cache."""
GIVEN_UP = -1
"""The number of candidates of a word that is given up."""


@njit(**KERNEL_OPTIONS)
def offer(scores, block, state, hits, k, slack):
    """Make candidates of the scores that reach the bar of their row's word, or their column's if the block is shared.

    Parameters
    ----------
    scores : float32 (m, n), n a multiple of `WIDTH`; what fills up the last columns is not a number
    block : the word of the first row, that of the first column, and whether the columns' words get candidates, too
    state : addresses of what is changed, of the words that get candidates:
        their bars, float32, and what fills up the last mask
        how many candidates each has, int32, or `GIVEN_UP`
        the candidates, (n_covered, CAPACITY, 2): a score, float32, and a word, int32
    hits : int64 (m * n / WIDTH, 3), overwritten
    k : how many neighbours are wanted, at most `WIDTH`
    slack : how far below the k-th best score one may be that is nearer
    """
    first_row, first_column, _ = block
    width = scores.shape[1]
    scores_at, hits_at = np.int64(scores.ctypes.data), np.int64(hits.ctypes.data)
    n_hits = find(scores, block, state[0], hits_at)
    for hit in range(n_hits):
        ask_for_places(hits_at, min(hit + AHEAD, n_hits - 1), block, width, state)
        place, for_row, for_columns = hit_at(hits_at, hit)
        row, column = first_row + place // width, first_column + place % width
        while for_row:
            other = column + lowest_bit(for_row)
            for_row &= for_row - 1
            if other != row:
                append(row, other, float32_at(scores_at, place + other - column), state, k, slack)
        while for_columns:
            word = column + lowest_bit(for_columns)
            for_columns &= for_columns - 1
            append(word, row, float32_at(scores_at, place + word - column), state, k, slack)


@njit(**KERNEL_OPTIONS, inline="always")
def find(scores, block, bars, hits):
    """List the masks that are not empty: their place in `scores`, who reaches the row's bar, who reaches the columns'.

    Each is written, and kept only if it is not empty: a branch would be guessed wrong as often as there is a hit.
    """
    first_row, first_column, is_shared = block
    scores_at, width = np.int64(scores.ctypes.data), scores.shape[1]
    n_hits = 0
    for i in range(scores.shape[0]):
        bar = float32_at(bars, first_row + i)
        for start in range(0, width, WIDTH):
            place = i * width + start
            for_row = reaching(scores_at, place, bar)
            for_columns = reaching_each(scores_at, place, bars, first_column + start) if is_shared else 0
            write_int64(hits, 3 * n_hits, place)
            write_int64(hits, 3 * n_hits + 1, for_row)
            write_int64(hits, 3 * n_hits + 2, for_columns)
            n_hits += (for_row | for_columns) != 0
    return n_hits


@njit(**KERNEL_OPTIONS, inline="always")
def hit_at(hits, number):
    return int64_at(hits, 3 * number), int64_at(hits, 3 * number + 1), int64_at(hits, 3 * number + 2)


@njit(**KERNEL_OPTIONS, inline="always")
def ask_for_places(hits, number, block, width, state):
    """Ask for where the next candidates of a hit's words will be written."""
    place, _, for_columns = hit_at(hits, number)
    ask_for(place_of(block[0] + place // width, state))
    while for_columns:
        ask_for(place_of(block[1] + place % width + lowest_bit(for_columns), state))
        for_columns &= for_columns - 1


@njit(**KERNEL_OPTIONS, inline="always")
def place_of(word, state):
    """The address of a word's next candidate."""
    return state[2] + 8 * (word * CAPACITY + int32_at(state[1], word))


@njit(**KERNEL_OPTIONS, inline="always")
def append(word, other, score, state, k, slack):
    """Add a candidate to a word's, and make room for the next one."""
    count = int32_at(state[1], word)
    if count == GIVEN_UP:
        return
    place = place_of(word, state)
    write_float32(place, 0, score)
    write_int32(place, 1, np.int32(other))
    write_int32(state[1], word, np.int32(count + 1))
    if count + 1 == CAPACITY:
        raise_bar(word, state, k, slack)


@njit(**KERNEL_OPTIONS)
def raise_bar(word, state, k, slack):
    """Raise the bar of a word and drop the candidates below; parameters as of `offer`."""
    bars, counts, candidates = state
    first = 2 * word * CAPACITY
    for place in range(int32_at(counts, word), CAPACITY):
        write_float32(candidates, first + 2 * place, np.float32(np.nan))
    bar = np.float32(reached_by(candidates, first, CAPACITY, 2, k, float32_at(bars, word)) - slack)
    kept = 0
    for start in range(first, first + 2 * CAPACITY, 2 * WIDTH):
        mask = every_other_reaching(candidates, start, bar)
        while mask:
            place = start + 2 * lowest_bit(mask)
            mask &= mask - 1
            write_float32(candidates, first + 2 * kept, float32_at(candidates, place))
            write_int32(candidates, first + 2 * kept + 1, int32_at(candidates, place + 1))
            kept += 1
    if kept > MOST_KEPT:
        bar, kept = np.float32(np.inf), GIVEN_UP
    write_float32(bars, word, bar)
    write_int32(counts, word, np.int32(kept))


@njit(**KERNEL_OPTIONS)
def raise_bars(start, end, state, k, slack):
    """Raise the bars of all words from `start` to `end` that are not given up."""
    for word in range(start, end):
        if int32_at(state[1], word) != GIVEN_UP:
            raise_bar(word, state, k, slack)


@njit(**KERNEL_OPTIONS)
def set_bars(scores, first_row, state, k, slack):
    """Set the bars of words that have seen nothing to what k of their `scores`, float32 (m, n), reach, and itself."""
    at, width = np.int64(scores.ctypes.data), scores.shape[1]
    for i in range(scores.shape[0]):
        bar = reached_by(at, i * width, width, 1, k + 1, -LARGEST) - slack
        write_float32(state[0], first_row + i, np.float32(bar))


@njit(**KERNEL_OPTIONS)
def reached_by(scores, start, n, step, k, least):
    """A number that at least `k` of `n` float32 reach, each 1 or 2 after the one before it, and few more.

    It is `least`, or lower than all scores, if there is none. Halving the range finds it without sorting: to count who
    reaches a number takes a few instructions.
    """
    low, high = max(least, -LARGEST), LARGEST
    for _ in range(HALVINGS):
        middle = np.float32(0.5) * (low + high)
        count = 0
        for place in range(start, start + step * n, step * WIDTH):
            mask = reaching(scores, place, middle) if step == 1 else every_other_reaching(scores, place, middle)
            count += n_bits(mask)
        if count < k:
            high = middle
            continue
        low = middle
        if count <= k + SPARE:
            break
    return low
