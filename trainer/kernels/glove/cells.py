"""GloVe: one AdaGrad step for every cell of some blocks of the co-occurrence table.

A word's parameters lie in one row, so that a cell touches two stretches of memory and not eight: ``[word vector |
its squared gradients | context vector | its squared gradients | word bias, its squared gradient, context bias, its
squared gradient]``, vectors padded to a multiple of 16 with zeros, which stay zero.

Pennington, Socher and Manning 2014, "GloVe: Global Vectors for Word Representation", eq. 8 and 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from trainer.kernels.hashing import below, mixed
from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.rows import LINE_FLOATS, padded
from trainer.kernels.simd import prefetch_row

FAST_MATH = {"reassoc", "contract", "arcp", "afn", "nsz"}
"""Sums in any order and 1/sqrt by estimate and a Newton step (float32 precision); NaN and infinity are kept."""

CELL = np.dtype([("row", np.uint16), ("column", np.uint16), ("log_count", np.float32), ("weight", np.float32)])
"""A cell of a block: row and column counted within their stripes, log(count), and f(count)."""
STRIP_CELLS = 65_536
"""Cells that are shuffled together: 0.8 MB, so that reading them in any order stays cheap."""


class Steps(NamedTuple):
    """How a gradient g becomes a step: ``h = scale * clip(g)``; ``x -= rate * h / sqrt(G)``; ``G += h * h``.

    The published AdaGrad has scale 1, the learning rate as rate and no clip. The C program has the learning rate as
    scale, rate 1 and clip 100, and takes biases with scale 1: once G >> 1, its learning rate cancels out.
    """

    scale: np.floating[Any]
    rate: np.floating[Any]
    clip: np.floating[Any]


def row_width(dim: int) -> int:
    """Floats of one word's row."""
    return 4 * padded(dim) + LINE_FLOATS


@lru_cache
def cell_kernel(padded_dim: int) -> Callable[..., None]:
    """The kernel for vectors of `padded_dim` floats."""
    size, both = padded_dim, 2 * padded_dim

    @njit(fastmath=FAST_MATH, **KERNEL_OPTIONS)
    def glove_blocks(stripes, cells, block_starts, blocks, steps, key, costs):
        """Take one step for each cell of some blocks, or for the mirror images of their cells, block after block.

        Minimises ``f(x) * (w . c + b + b' - log x)**2 / 2`` for each cell, as the C program does. Within a block,
        strips of `STRIP_CELLS` cells come in an order drawn from `key` and the block, and so do a strip's cells.

        Parameters
        ----------
        stripes : float32 (n_stripes, stripe_rows, row_width), 64-byte aligned; updated. The stripes that `blocks` name
            belong to the thread that runs this
        cells : CELL (n_cells,), read
        block_starts : int64 (n_stripes, n_stripes + 1), read; block (a, b) is ``cells[starts[a, b]:starts[a, b + 1]]``
        blocks : int64 (n_blocks, 3), row and column stripe of each, and whether (1) its cells' mirror images are meant;
            a cell on the table's diagonal has none
        steps : Steps
        key : uint64
        costs : float64 (n_blocks,), overwritten: each block's sum of ``f(x) * (...)**2``, each before its step
        """
        row_bytes, half_row = stripes.shape[2] * stripes.itemsize, both * stripes.itemsize
        order = np.empty(STRIP_CELLS, np.int64)
        for b in range(len(blocks)):
            row_stripe, column_stripe, is_mirrored = blocks[b]
            row_side, column_side = stripes[row_stripe], stripes[column_stripe]
            begin, end = block_starts[row_stripe, column_stripe], block_starts[row_stripe, column_stripe + 1]
            # bytes to what the next cell will touch of a row: a word vector or a context vector, with its squares
            row_shift, column_shift = (half_row, 0) if is_mirrored else (0, half_row)
            next_row, next_column = row_side.ctypes.data + row_shift, column_side.ctypes.data + column_shift
            block_key = mixed(key, np.uint64((row_stripe * len(stripes) + column_stripe) * 2 + is_mirrored))
            strips = np.arange((end - begin + STRIP_CELLS - 1) // STRIP_CELLS)
            counter = shuffle(strips, len(strips), block_key, np.uint64(0))
            cost = 0.0
            for strip in strips:
                first = begin + strip * STRIP_CELLS
                n_cells = min(STRIP_CELLS, end - first)
                for k in range(n_cells):
                    order[k] = first + k
                counter = shuffle(order, n_cells, block_key, counter)
                for k in range(n_cells):
                    cell = cells[order[k]]
                    if k + 1 < n_cells:
                        ahead = cells[order[k + 1]]
                        prefetch_row(next_row + np.int64(ahead.row) * row_bytes, both)
                        prefetch_row(next_column + np.int64(ahead.column) * row_bytes, both)
                    row, column = row_side[np.int64(cell.row)], column_side[np.int64(cell.column)]
                    if is_mirrored:
                        if row_stripe == column_stripe and cell.row == cell.column:
                            continue
                        row, column = column, row
                    word, word_squares = row[:size], row[size : 2 * size]
                    context, context_squares = column[2 * size : 3 * size], column[3 * size : 4 * size]
                    word_bias, context_bias = row[4 * size : 4 * size + 2], column[4 * size + 2 : 4 * size + 4]
                    product = word_bias[0] * np.float32(0)  # zero of the arrays' type
                    for d in range(size):
                        product += word[d] * context[d]
                    error = product + word_bias[0] + context_bias[0] - cell.log_count
                    slope = cell.weight * error
                    cost += slope * error
                    for d in range(size):
                        w, c = word[d], context[d]
                        w_squares, c_squares = word_squares[d], context_squares[d]
                        w_step = steps.scale * min(max(slope * c, -steps.clip), steps.clip)
                        c_step = steps.scale * min(max(slope * w, -steps.clip), steps.clip)
                        word[d] = w - steps.rate * w_step * (np.float32(1) / math.sqrt(w_squares))
                        context[d] = c - steps.rate * c_step * (np.float32(1) / math.sqrt(c_squares))
                        word_squares[d] = w_squares + w_step * w_step
                        context_squares[d] = c_squares + c_step * c_step
                    for bias in (word_bias, context_bias):
                        bias[0] -= steps.rate * slope / math.sqrt(bias[1])
                        bias[1] += slope * slope
            costs[b] = cost

    return glove_blocks


@njit(inline="always", **KERNEL_OPTIONS)
def shuffle(values, n_values, key, counter):
    """Permute the first `n_values` in place, by the random bits from `counter` on; the next counter."""
    for k in range(n_values - 1, 0, -1):
        other = below(mixed(key, counter), k + 1)
        values[k], values[other] = values[other], values[k]
        counter += np.uint64(1)
    return counter


@njit(**KERNEL_OPTIONS)
def total_cost(parameters, cells, places, dim, mirrored):
    """The summed cost of cells that may lie anywhere, each mirror image counted if `mirrored`, and their number.

    Parameters
    ----------
    parameters : float32 (n_rows, row_width), read
    cells : HELD_OUT_CELL (n_cells,)
    places : int64 (n_words,), each word's row in `parameters`
    dim : length of a vector
    mirrored : whether mirror images count
    """
    size = (parameters.shape[1] - LINE_FLOATS) // 4
    cost, n_records = 0.0, 0
    for k in range(len(cells)):
        cell = cells[k]
        row, column = parameters[places[cell.row]], parameters[places[cell.column]]
        for _side in range(2 if mirrored and cell.row != cell.column else 1):
            error = row[4 * size] + column[4 * size + 2] - cell.log_count
            for d in range(dim):
                error += row[d] * column[2 * size + d]
            cost += cell.weight * error * error
            n_records += 1
            row, column = column, row
    return cost, n_records
