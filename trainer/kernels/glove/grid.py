"""Sorting the cells of a co-occurrence table into a grid of blocks.

Word ``i`` belongs to stripe ``i % n_stripes`` and is number ``i // n_stripes`` there; ids go by frequency, so stripes
hold about equally many cells. The grid's rows are filled independently, one stripe a thread.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from trainer.kernels.hashing import mixed
from trainer.kernels.options import KERNEL_OPTIONS

_HALF = np.uint64(32)

HELD_OUT_CELL = np.dtype([("row", np.int32), ("column", np.int32), ("log_count", np.float32), ("weight", np.float32)])


class Sample(NamedTuple):
    """Which cells are held out: those whose 32 random bits, drawn by row and column under `key`, are below `limit`."""

    key: np.uint64
    limit: np.uint64


class Weighting(NamedTuple):
    """How a stored count becomes log x and f(x) = min(1, (x / x_max)**alpha), with x = count / unit."""

    unit: float
    x_max: float
    alpha: float


@njit(inline="always", **KERNEL_OPTIONS)
def _is_held_out(sample, row, column):
    bits = mixed(sample.key, (np.uint64(row) << _HALF) | np.uint64(column))
    return (bits >> _HALF) < sample.limit


@njit(**KERNEL_OPTIONS)
def count_stripe(table, stripe, sample, sizes):
    """Add up in `sizes` (int64 (n_stripes,)) how many cells each block of a grid row gets; return those held out."""
    row_starts, columns, _ = table
    n_stripes = np.uint32(len(sizes))
    n_held_out = 0
    for row in range(stripe, len(row_starts) - 1, len(sizes)):
        for place in range(row_starts[row], row_starts[row + 1]):
            if _is_held_out(sample, row, columns[place]):
                n_held_out += 1
            else:
                sizes[np.uint64(np.uint32(columns[place]) % n_stripes)] += 1
    return n_held_out


@njit(**KERNEL_OPTIONS)
def fill_stripe(table, stripe, sample, weighting, next_places, cells, held_out):
    """Write the cells of one grid row, each block's by row; how many of them lie on the table's diagonal.

    Parameters
    ----------
    table : Cells, the co-occurrence table, read
    stripe : which grid row
    sample : Sample, as for `count_stripe`
    weighting : Weighting
    next_places : int64 (n_stripes,), overwritten; where each block begins in `cells`
    cells : CELL (n_cells,), this grid row's blocks written
    held_out : HELD_OUT_CELL (as many as `count_stripe` returned,), overwritten
    """
    row_starts, columns, counts = table
    n_stripes = np.uint32(len(next_places))
    log_unit, log_x_max = math.log(weighting.unit), math.log(weighting.x_max)
    n_held_out, n_diagonal = 0, 0
    for row in range(stripe, len(row_starts) - 1, len(next_places)):
        for place in range(row_starts[row], row_starts[row + 1]):
            column = np.uint32(columns[place])
            log_count = math.log(np.float64(counts[place])) - log_unit
            weight = math.exp(weighting.alpha * min(log_count - log_x_max, 0.0))
            if _is_held_out(sample, row, column):
                cell = held_out[n_held_out]
                n_held_out += 1
                cell.row, cell.column = row, column
                cell.log_count, cell.weight = log_count, weight
            else:
                block = np.uint64(column % n_stripes)
                cell = cells[next_places[block]]
                next_places[block] += 1
                cell.row, cell.column = row // len(next_places), column // n_stripes
                cell.log_count, cell.weight = log_count, weight
                n_diagonal += row == column
    return n_diagonal
