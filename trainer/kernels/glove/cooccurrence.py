"""Counting which words occur near each other, row by row of the table.

A row is counted from the places of its word: each place's window is added into one dense row of sums. Nothing is
sorted and no pair is ever written down by itself; rows are independent, so threads take different ones. The sums are
integers, so they do not depend on who added what when.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.simd import prefetch_row

AHEAD, LINE_NUMBERS = 12, 32
"""So many places ahead, the two cache lines around a place are asked for: places of rare words lie far apart."""
MANY_PAIRS = 4
"""From so many pairs a column on, to look at all columns takes less time than to note which ones are not zero."""

_ONE, _SIX, _LOW_SIX = np.uint64(1), np.uint64(6), np.uint64(63)


class Postings(NamedTuple):
    """Where words stand in a chunk of a corpus.

    Parameters
    ----------
    positions : int32 (n_tokens,), places relative to `origin`, word by word, ascending for each
    starts : int64 (n_words + 1,), word ``i`` has ``positions[starts[i]:starts[i + 1]]``
    origin : where the chunk begins in the corpus
    """

    positions: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    origin: int


class Accumulator(NamedTuple):
    """One row of sums, and which of them are not zero: bit ``j`` of `marks` for column ``j``, bit ``k`` of `groups`
    for ``marks[k]``. All zero between rows. Memory of one thread.

    Parameters
    ----------
    sums : uint64 (n_words,)
    marks : uint64 (ceil(n_words / 64),)
    groups : uint64 (ceil(n_words / 4096),)
    """

    sums: npt.NDArray[np.uint64]
    marks: npt.NDArray[np.uint64]
    groups: npt.NDArray[np.uint64]


class Cells(NamedTuple):
    """Cells of some rows, in row order, columns ascending within a row.

    Parameters
    ----------
    row_starts : int64 (n_rows + 1,), row ``i`` has the cells ``row_starts[i]`` to ``row_starts[i + 1]``
    columns : int32 (n_cells,)
    counts : uint64 (n_cells,), sums of integer weights
    """

    row_starts: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint64]


def new_accumulator(n_words: int) -> Accumulator:
    n_marks = -(-n_words // 64)
    return Accumulator(
        np.zeros(n_words, np.uint64), np.zeros(n_marks, np.uint64), np.zeros(-(-n_marks // 64), np.uint64)
    )


@njit(**KERNEL_OPTIONS)
def count_words(ids, counts):
    """Add the occurrences of each word in `ids` (int32, negative: line ends) to `counts` (int64)."""
    for position in range(len(ids)):
        if ids[position] >= 0:
            counts[ids[position]] += 1


@njit(**KERNEL_OPTIONS)
def write_positions(ids, next_places, positions):
    """Write the place of each word in `ids` (int32) to `positions` (int32), word by word.

    `next_places` (int64 (n_words,), overwritten) says where each word's places begin.
    """
    for position in range(len(ids)):
        word = ids[position]
        if word >= 0:
            positions[next_places[word]] = position
            next_places[word] += 1


@njit(inline="always", **KERNEL_OPTIONS)
def _add(sums, marks, groups, column, weight):
    place = np.uint64(column)  # unsigned, so that numba looks for no negative index
    before = sums[place]
    sums[place] = before + weight
    if before == 0:
        mark = place >> _SIX
        marks[mark] |= _ONE << (place & _LOW_SIX)
        groups[mark >> _SIX] |= _ONE << (mark & _LOW_SIX)


@njit(inline="always", **KERNEL_OPTIONS)
def _take_one(sums, column, least, cells, n_cells):
    """Move one sum behind the first `n_cells` cells if it reaches `least`, and clear it; the new `n_cells`."""
    if sums[column] >= least:
        cells.columns[n_cells] = column
        cells.counts[n_cells] = sums[column]
        n_cells += 1
    sums[column] = 0
    return n_cells


@njit(inline="always", **KERNEL_OPTIONS)
def _take(sums, marks, groups, least, cells, n_cells):
    """Move the sums that reach `least` behind the first `n_cells` cells, clear the accumulator; the new `n_cells`."""
    for group in range(len(groups)):
        group_bits = groups[group]
        if group_bits == 0:
            continue
        groups[group] = 0
        while group_bits != 0:
            mark = (group << 6) + np.int64(trailing_zeros(group_bits))
            group_bits &= group_bits - _ONE
            bits = marks[mark]
            marks[mark] = 0
            while bits != 0:
                n_cells = _take_one(sums, (mark << 6) + np.int64(trailing_zeros(bits)), least, cells, n_cells)
                bits &= bits - _ONE
    return n_cells


@njit(inline="always", **KERNEL_OPTIONS)
def _take_all(sums, lowest, least, cells, n_cells):
    """The same for sums that were added without marks: columns before `lowest` are cleared and left out."""
    for column in range(lowest):
        sums[column] = 0
    for column in range(lowest, len(sums)):
        n_cells = _take_one(sums, column, least, cells, n_cells)
    return n_cells


@njit(**KERNEL_OPTIONS)
def cooccurrence_rows(ids, postings, rows, weights, symmetric, least, accumulator, cells):
    """Count some rows of the co-occurrence table from the places of their words.

    Symmetric: row ``i`` gets, from both sides of each of its places, the words ``j >= i``; so each pair is seen once,
    from the side of the lower id, and a pair of equal words twice, as the sum over both sides wants. One-sided: row
    ``i`` gets all words to the right of its places. Windows end at line ends and at the ends of `ids`, but reach over
    those of the chunk.

    Parameters
    ----------
    ids : int32 (n_positions,), the whole corpus, negative at line ends
    postings : Postings, places of the words in one chunk of `ids`
    rows : tuple of int, the first row and the one after the last
    weights : uint64 (window + 1,), by distance; entry 0 is not used
    symmetric : whether the words on both sides count; then only columns from the row on are written
    least : uint64 > 0, smaller sums are left out
    accumulator : Accumulator, this thread's, zero; zero again afterwards
    cells : Cells, overwritten from its beginning: where each row begins, then the cells

    Returns
    -------
    int
        The number of cells.
    """
    first, last = rows
    sums, marks, groups = accumulator  # in locals: eight times faster than through the tuple
    positions, starts, origin = postings
    window, end = len(weights) - 1, len(ids) - 1
    n_sides, last_place = (2 if symmetric else 1), starts[last] - 1
    n_cells = 0
    cells.row_starts[0] = 0
    for row in range(first, last):
        lowest = row if symmetric else 0
        is_frequent = (starts[row + 1] - starts[row]) * n_sides * window >= MANY_PAIRS * len(sums)
        for place in range(starts[row], starts[row + 1]):
            ahead = origin + np.int64(positions[min(place + AHEAD, last_place)])
            prefetch_row(ids.ctypes.data + 4 * (ahead - window), LINE_NUMBERS)
            center = origin + np.int64(positions[place])
            for side in range(n_sides):
                step = 1 - 2 * side
                position = center
                for distance in range(1, min(window, end - center if side == 0 else center) + 1):
                    position += step
                    column = ids[position]
                    if column < 0:
                        break
                    if is_frequent:  # to add what is left out costs less than to guess wrong what is
                        sums[np.uint64(column)] += weights[distance]
                    elif column >= lowest:
                        _add(sums, marks, groups, column, weights[distance])
        if is_frequent:
            n_cells = _take_all(sums, lowest, least, cells, n_cells)
        else:
            n_cells = _take(sums, marks, groups, least, cells, n_cells)
        cells.row_starts[row - first + 1] = n_cells
    return n_cells


@njit(**KERNEL_OPTIONS)
def sum_runs(run_starts, runs, rows, least, accumulator, cells):
    """Sum some rows of several tables; the rest is as for `cooccurrence_rows`.

    `run_starts` (int64 (n_runs, n_words + 1)) says where each table's rows are in `runs` (Cells), which holds them all.
    """
    first, last = rows
    sums, marks, groups = accumulator
    n_cells = 0
    cells.row_starts[0] = 0
    for row in range(first, last):
        for run in range(run_starts.shape[0]):
            for place in range(run_starts[run, row], run_starts[run, row + 1]):
                _add(sums, marks, groups, runs.columns[place], runs.counts[place])
        n_cells = _take(sums, marks, groups, least, cells, n_cells)
        cells.row_starts[row - first + 1] = n_cells
    return n_cells
