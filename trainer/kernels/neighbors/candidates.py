"""The candidates of each word: those whose scores reach the word's bar, which rises as better ones come.

Of the scores that a word has seen, at least k are as large as its bar and `slack`. So no score below the bar can belong
to one of the k nearest, and nearly all scores of a large table are below.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.memory import ask_for, float32_at, int32_at, write_float32, write_int32
from trainer.kernels.neighbors.hits import find, find_possible, hit_at, settle
from trainer.kernels.neighbors.masks import WIDTH, every_other_reaching, lowest_bit, n_bits, reaching
from trainer.kernels.neighbors.products import multiply
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
def offer_own(rows, words, state, space, k, slack):
    """Offer the words of a panel, which have seen nothing, to each other: the first one and how many there are.

    Their bars begin with what k of these scores reach, and that of the word with itself. The others are as of `offer`.
    """
    first, n_words = words
    scores, hits = space
    for start in range(0, n_words, WIDTH):
        multiply(rows, rows, (n_words, start, n_words), scores + 4 * start * n_words)
    for i in range(n_words):
        bar = reached_by(scores, i * WIDTH, n_words, (n_words * WIDTH, 1), k + 1, -LARGEST) - slack
        write_float32(state[0], first + i, np.float32(bar))
    for start in range(0, n_words, WIDTH):
        part = first, n_words, first + start, np.bool_(False)  # a constant would compile all once more
        offer_scores((scores + 4 * start * n_words, hits), part, state, k, slack)


@njit(**KERNEL_OPTIONS)
def offer(rows, columns, block, state, space, k, slack):
    """Make candidates of the scores that reach the bar of their row's word, or their column's if the block is shared.

    Where numbers trail, the leading ones are multiplied first. What the trailing ones can add is no more than the
    product of their lengths; theirs are multiplied for the few pairs that may reach a bar with that.

    Parameters
    ----------
    rows, columns : two panels, `products.Panel`
    block : the word of the first row, how many there are, that of the first column, how many there are, and whether the
        columns' words get candidates, too
    state : addresses of what is changed, of the words that get candidates:
        their bars, float32, and what fills up the last mask
        how many candidates each has, int32, or `GIVEN_UP`
        the candidates, (n_covered, CAPACITY, 2): a score, float32, and a word, int32
    space : addresses of what is overwritten, for as many rows as are packed:
        scores, float32 (rows, `WIDTH`), and for `offer_own` as many times as the rows have masks
        hits, int64 (rows, 3)
        where scores are that have to be completed, int32 (rows * `WIDTH` + 1,)
    k : how many neighbours are wanted, at most `WIDTH`
    slack : how far below the k-th best score one may be that is nearer
    """
    first_row, n_rows, first_column, n_columns, is_shared = block
    n_trailing = rows.trailing.shape[1]
    row_numbers, column_numbers = np.int64(rows.trailing.ctypes.data), np.int64(columns.trailing.ctypes.data)
    row_lengths, column_lengths = np.int64(rows.lengths.ctypes.data), np.int64(columns.lengths.ctypes.data)
    for start in range(0, n_columns, WIDTH):
        multiply(rows.leading, columns.leading, (n_rows, start, n_columns), space[0])
        part = first_row, n_rows, first_column + start, is_shared
        if n_trailing == 0:
            offer_scores(space[:2], part, state, k, slack)
            continue
        n_hits = find_possible(space[:2], part, state[0], row_lengths, column_lengths + 4 * start)
        numbers = row_numbers, column_numbers + 2 * n_trailing * start, n_trailing
        n_hits = settle(space[:2], part, state[0], numbers, n_hits, space[2])
        offer_hits(space[:2], part, state, n_hits, k, slack)


@njit(**KERNEL_OPTIONS)
def offer_scores(space, part, state, k, slack):
    """Offer the scores of `WIDTH` columns; `part` has the first row's word, how many there are, the first column's."""
    offer_hits(space, part, state, find(space, part, state[0]), k, slack)


@njit(**KERNEL_OPTIONS)
def offer_hits(space, part, state, n_hits, k, slack):
    """Offer the scores that are listed as hits."""
    first_row, first_column = part[0], part[2]
    scores, hits = space
    for hit in range(n_hits):
        ask_for_places(hits, min(hit + AHEAD, n_hits - 1), part, state)
        i, for_row, for_columns = hit_at(hits, hit)
        row, place = first_row + i, i * WIDTH - first_column
        while for_row:
            other = first_column + lowest_bit(for_row)
            for_row &= for_row - 1
            if other != row:
                append(row, other, float32_at(scores, place + other), state, k, slack)
        while for_columns:
            word = first_column + lowest_bit(for_columns)
            for_columns &= for_columns - 1
            append(word, row, float32_at(scores, place + word), state, k, slack)


@njit(**KERNEL_OPTIONS, inline="always")
def ask_for_places(hits, number, part, state):
    """Ask for where the next candidates of a hit's words will be written."""
    row, _, for_columns = hit_at(hits, number)
    ask_for(place_of(part[0] + row, state))
    while for_columns:
        ask_for(place_of(part[2] + lowest_bit(for_columns), state))
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
    bar = np.float32(reached_by(candidates, first, CAPACITY, (2 * WIDTH, 2), k, float32_at(bars, word)) - slack)
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
def reached_by(scores, start, n, steps, k, least):
    """A number that at least `k` of `n` float32 reach, and few more.

    It is `least`, or lower than all scores, if there is none. Halving the range finds it without sorting: to count who
    reaches a number takes a few instructions.

    Parameters
    ----------
    scores, start : the address of the scores, and the number of the first
    n : how many there are; what fills up the last `WIDTH` is not a number
    steps : how far the next `WIDTH` of them are, and how far, 1 or 2, the next of these
    k, least : as above
    """
    low, high = max(least, -LARGEST), LARGEST
    far, step = steps
    for _ in range(HALVINGS):
        middle = np.float32(0.5) * (low + high)
        count, place = 0, start
        for _ in range(0, n, WIDTH):
            mask = reaching(scores, place, middle) if step == 1 else every_other_reaching(scores, place, middle)
            count, place = count + n_bits(mask), place + far
        if count < k:
            high = middle
            continue
        low = middle
        if count <= k + SPARE:
            break
    return low
