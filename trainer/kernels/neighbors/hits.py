"""The rows of a block in which a score reaches a bar, and which scores these are: a mask for the row, one for columns.

A hit is three int64: the row, which columns reach the row's bar, and which reach their own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.memory import float32_at, int32_at, int64_at, write_float32, write_int32, write_int64
from trainer.kernels.neighbors.masks import WIDTH, lowest_bit, may_reach, may_reach_each, reaching, reaching_each
from trainer.kernels.neighbors.products import trailing_product
from trainer.kernels.options import KERNEL_OPTIONS


@njit(**KERNEL_OPTIONS)
def find(space, part, bars):
    """List the rows whose masks are not empty: the row, who reaches its bar, who reaches the columns'."""
    first_row, n_rows, first_column, is_shared = part
    scores, hits = space
    n_hits = 0
    for i in range(n_rows):
        for_row = reaching(scores, i * WIDTH, float32_at(bars, first_row + i))
        for_columns = reaching_each(scores, i * WIDTH, bars, first_column) if is_shared else 0
        n_hits = listed(hits, n_hits, i, for_row, for_columns)
    return n_hits


@njit(**KERNEL_OPTIONS)
def find_possible(space, part, bars, row_lengths, column_lengths):
    """The same of scores of leading numbers and what the trailing ones can add; their lengths lie at addresses."""
    first_row, n_rows, first_column, is_shared = part
    scores, hits = space
    n_hits = 0
    for i in range(n_rows):
        length = float32_at(row_lengths, i)
        for_row = may_reach(scores, i * WIDTH, float32_at(bars, first_row + i), length, column_lengths)
        for_columns = may_reach_each(scores, i * WIDTH, bars, first_column, length, column_lengths) if is_shared else 0
        n_hits = listed(hits, n_hits, i, for_row, for_columns)
    return n_hits


@njit(**KERNEL_OPTIONS)
def settle(space, part, bars, numbers, n_hits, places):
    """Complete the scores of all hits, and list those that still are.

    `numbers` are addresses of the trailing ones of rows and of columns, and how many; at address `places`, int32 and
    one more than there are scores, is overwritten. All is done for all hits at a time: pair by pair, the processor
    would guess wrong at most of them where a row's last one is.
    """
    first_row, _, first_column, is_shared = part
    scores, hits = space
    of_rows, of_columns, n_trailing = numbers
    n_places = listed_places(hits, n_hits, places)
    for number in range(n_places):
        place = np.int64(int32_at(places, number))
        row, column = of_rows + 2 * n_trailing * (place // WIDTH), of_columns + 2 * n_trailing * (place % WIDTH)
        score = float32_at(scores, place) + trailing_product(row, column, n_trailing)
        write_float32(scores, place, score)
    n_kept = 0
    for hit in range(n_hits):
        i, for_row, for_columns = hit_at(hits, hit)
        possible = for_row | for_columns
        for_row = reaching(scores, i * WIDTH, float32_at(bars, first_row + i)) & possible
        for_columns = (reaching_each(scores, i * WIDTH, bars, first_column) if is_shared else 0) & possible
        n_kept = listed(hits, n_kept, i, for_row, for_columns)
    return n_kept


@njit(**KERNEL_OPTIONS)
def listed_places(hits, n_hits, places):
    """Write where the scores of all hits lie; how many there are. Most rows have one or two: these take no branch."""
    n_places = 0
    for hit in range(n_hits):
        i, for_row, for_columns = hit_at(hits, hit)
        possible = for_row | for_columns
        write_int32(places, n_places, np.int32(i * WIDTH + lowest_bit(possible)))
        possible &= possible - 1
        write_int32(places, n_places + 1, np.int32(i * WIDTH + lowest_bit(possible)))
        n_places += 1 + (possible != 0)
        possible &= possible - 1
        while possible:
            write_int32(places, n_places, np.int32(i * WIDTH + lowest_bit(possible)))
            possible &= possible - 1
            n_places += 1
    return n_places


@njit(**KERNEL_OPTIONS, inline="always")
def listed(hits, number, i, for_row, for_columns):
    """Write a hit; the number of the next one. A branch would be guessed wrong as often as a mask is not empty."""
    write_int64(hits, 3 * number, i)
    write_int64(hits, 3 * number + 1, for_row)
    write_int64(hits, 3 * number + 2, for_columns)
    return number + ((for_row | for_columns) != 0)


@njit(**KERNEL_OPTIONS, inline="always")
def hit_at(hits, number):
    return int64_at(hits, 3 * number), int64_at(hits, 3 * number + 1), int64_at(hits, 3 * number + 2)
