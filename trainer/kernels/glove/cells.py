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

from trainer.kernels.glove.simd import FAST, product_of_rows, step_rows
from trainer.kernels.hashing import below, mixed
from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.rows import LINE_FLOATS, padded
from trainer.kernels.simd import prefetch_row

CELL = np.dtype([("row", np.uint16), ("column", np.uint16), ("log_count", np.float32), ("weight", np.float32)])
"""A cell of a block: row and column counted within their stripes, log(count), and f(count)."""
CELL_BYTES, LINE_CELLS = CELL.itemsize, 5
"""Of a cell, and how many there are in a cache line."""
STRIP_CELLS = 65_536
"""Cells that are shuffled together: 0.8 MB, so that reading them in any order stays cheap."""
AHEAD = 4
"""So many cells before its turn a cell's rows are asked for: a block has few cells for each of its rows."""


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
    size = padded_dim
    contexts_at, biases_at, context_bias_at = np.uint64(2 * size), np.uint64(4 * size), np.uint64(2 * size + 2)

    @njit(fastmath=set(FAST), **KERNEL_OPTIONS)
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
        # one flat array and unsigned places in it: numba counts references to each part of an array, and the threads
        # would wait for each other at that counter
        floats, width = stripes.reshape(stripes.size), np.uint64(stripes.shape[2])
        stripe_floats, item = np.uint64(stripes.shape[1]) * width, np.uint64(stripes.itemsize)
        base, order = np.int64(floats.ctypes.data), np.empty(STRIP_CELLS, np.int64)
        for b in range(len(blocks)):
            row_stripe, column_stripe, is_mirrored = blocks[b]
            begin, end = block_starts[row_stripe, column_stripe], block_starts[row_stripe, column_stripe + 1]
            of_words, of_contexts = (column_stripe, row_stripe) if is_mirrored else (row_stripe, column_stripe)
            sides = np.uint64(of_words) * stripe_floats, np.uint64(of_contexts) * stripe_floats + contexts_at
            block_key = mixed(key, np.uint64((row_stripe * len(stripes) + column_stripe) * 2 + is_mirrored))
            strips = np.arange((end - begin + STRIP_CELLS - 1) // STRIP_CELLS)
            counter = shuffle(strips, len(strips), block_key, np.uint64(0))
            cost = 0.0
            for strip in strips:
                first = begin + strip * STRIP_CELLS
                n_cells = min(STRIP_CELLS, end - first)
                counter = _draw_order(cells, first, n_cells, block_key, counter, order)
                if is_mirrored and row_stripe == column_stripe:
                    n_cells = _without_diagonal(cells, order, n_cells)
                if n_cells == 0:
                    continue
                word, context = _places(cells, order[0], is_mirrored, sides, width)
                at_word, at_context = base + np.int64(item * word), base + np.int64(item * context)
                product = product_of_rows(at_word, at_context, floats[word] * np.float32(0), size)
                for k in range(n_cells):
                    cell = cells[np.uint64(order[k])]
                    bias, context_bias = word + biases_at, context + context_bias_at
                    error = product + floats[bias] + floats[context_bias] - cell.log_count
                    slope = cell.weight * error
                    cost += slope * error
                    for place in (bias, context_bias):
                        floats[place] -= steps.rate * slope / math.sqrt(floats[place + np.uint64(1)])
                        floats[place + np.uint64(1)] += slope * slope
                    here, there = at_word, at_context
                    word, context = _places(cells, order[min(k + 1, n_cells - 1)], is_mirrored, sides, width)
                    at_word, at_context = base + np.int64(item * word), base + np.int64(item * context)
                    later = _places(cells, order[min(k + AHEAD, n_cells - 1)], is_mirrored, sides, width)
                    prefetch_row(base + np.int64(item * (later[0] + biases_at)), LINE_FLOATS)
                    prefetch_row(base + np.int64(item * (later[1] + contexts_at)), LINE_FLOATS)
                    product = step_rows(
                        here,
                        there,
                        at_word,
                        at_context,
                        base + np.int64(item * later[0]),
                        base + np.int64(item * later[1]),
                        steps.scale * slope,
                        steps.rate,
                        steps.scale * steps.clip,
                        size,
                    )
            costs[b] = cost

    return glove_blocks


@njit(inline="always", **KERNEL_OPTIONS)
def _places(cells, number, is_mirrored, sides, width):
    """Where the word vector and the context vector of a cell begin, in floats."""
    cell = cells[np.uint64(number)]
    word, context = np.uint64(cell.row), np.uint64(cell.column)
    if is_mirrored:
        word, context = context, word
    return sides[0] + word * width, sides[1] + context * width


@njit(inline="always", **KERNEL_OPTIONS)
def _draw_order(cells, first, n_cells, key, counter, order):
    """Write the numbers of the cells from `first` on in a drawn order; the next counter.

    The cells are asked for meanwhile, while their lines still follow one another.
    """
    for k in range(n_cells):
        order[k] = first + k
    for k in range(0, n_cells, LINE_CELLS):
        prefetch_row(cells.ctypes.data + CELL_BYTES * (first + k), LINE_FLOATS)
    return shuffle(order, n_cells, key, counter)


@njit(**KERNEL_OPTIONS)
def _without_diagonal(cells, order, n_cells):
    """Leave out of `order` the cells whose row is their column; how many are left."""
    n_left = 0
    for k in range(n_cells):
        order[n_left] = order[k]
        n_left += cells[order[k]].row != cells[order[k]].column
    return n_left


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
