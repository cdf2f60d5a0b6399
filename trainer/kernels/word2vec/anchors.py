"""Holding rows near where they were before training, outside of the kernel that trains."""

import numpy as np
from numba import njit

from trainer.kernels.hashing import lower_half, mixed
from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS


@njit(**KERNEL_OPTIONS)
def draw_back(stream, first_place, last_place, tables, anchors, strengths):
    """Draw the rows of each token that was trained in some blocks back to their anchors, once a token.

    It is a step of gradient descent on ``strength * |row - anchor|**2 / 2`` at the block's learning rate, and never
    goes beyond the anchor.

    Parameters
    ----------
    stream : Stream; of its ids those that subsampling keeps count
    first_place, last_place : of blocks in the stream's order, the first and the one after the last
    tables : Tables; its input rows, float32 (n_rows, n_columns), are updated: a word's own, or those it is made of
    anchors : float32, the same shape, read
    strengths : float32 (n_rows,), 0: the row is left alone; infinity: the row becomes the anchor, bit for bit
    """
    rows, offsets = tables.input_vectors, tables.part_offsets
    ids, keep, key = stream.ids, stream.keep, stream.token_key
    for place in range(first_place, last_place):
        block, rate = stream.order[place], stream.learning_rates[place]
        first = block * BLOCK_POSITIONS
        for position in range(first, min(first + BLOCK_POSITIONS, len(ids))):
            word = ids[position]
            if word < 0 or lower_half(mixed(key, np.uint64(position))) > keep[word]:
                continue
            if len(offsets) == 0:
                _draw(rows, anchors, np.int64(word), rate * strengths[word])
                continue
            for part in range(offsets[word], offsets[word + 1]):
                row = np.int64(tables.part_rows[part])
                _draw(rows, anchors, row, rate * strengths[row])


@njit(**KERNEL_OPTIONS)
def _draw(rows, anchors, i, share):
    """Draw one row by its share of the way, or all the way."""
    if share == 0:
        return
    row, anchor = rows[i], anchors[i]
    for column in range(len(row)):
        row[column] = row[column] + share * (anchor[column] - row[column]) if share < 1 else anchor[column]
