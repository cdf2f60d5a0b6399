"""What the two objectives ask of a window: its output rows, their labels, and the loss."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from trainer.kernels.memory import ask_for, float32_at, int32_at, int64_at, write_float32, write_int64
from trainer.kernels.options import INLINED
from trainer.kernels.word2vec.noise import ask_for_noise, noise_word_but
from trainer.kernels.word2vec.replicas import row_address

LINE = 64
"""Bytes that memory is read by."""

PATH_TAIL = 2
"""Huffman paths are cut into full groups, then pairs; an odd one gets a filler row, which learns nothing."""


@njit(**INLINED)
def choose_noise(at, center, slot, key, counter, n_negatives):
    """Write the addresses of the output rows of the center and its negatives into `slot`; returns the next counter."""
    output_rows = at.output_rows + 8 * at.slot * slot
    write_int64(output_rows, 0, row_address(at.output_table, at.output_replicas, at.n_replicas, center, at.stride))
    for k in range(1, n_negatives + 1):
        word, counter = noise_word_but(at.alias_table, at.n_words, center, key, counter)
        write_int64(output_rows, k, row_address(at.output_table, at.output_replicas, at.n_replicas, word, at.stride))
    ask_for_noise(at.alias_table, at.n_words, key, counter, n_negatives)
    return counter


@njit(**INLINED)
def choose_path(at, center, slot):
    """Write addresses and labels of the inner nodes above the center into `slot`, then fillers; returns how many."""
    output_rows, labels = at.output_rows + 8 * at.slot * slot, at.labels + 4 * at.slot * slot
    start = int64_at(at.offsets, center)
    n_outputs = int64_at(at.offsets, center + 1) - start
    for k in range(n_outputs):
        node = np.int64(int32_at(at.points, start + k))
        write_int64(output_rows, k, row_address(at.output_table, at.output_replicas, at.n_replicas, node, at.stride))
        write_float32(labels, k, float32_at(at.point_labels, start + k))
    for k in range(n_outputs, n_outputs + PATH_TAIL - 1):
        write_int64(output_rows, k, at.filler)
        write_float32(labels, k, np.float32(0.5))
    return n_outputs


@njit(**INLINED)
def ask_for_path(at, center):
    """Ask for the nodes and labels above a center, which `choose_path` is going to read; most paths are two lines."""
    start = 4 * int64_at(at.offsets, center)
    for place in (at.points + start, at.point_labels + start):
        ask_for(place)
        ask_for(place + LINE)


@njit(**INLINED)
def tile_labels(labels, n_outputs, n_contexts, group, tail, tiled):
    """Repeat the output rows' labels in the order of the scores: group after group, in each context after context."""
    first, place = 0, 0
    while first < n_outputs:
        size = group if n_outputs - first >= group else tail
        for _ in range(n_contexts):
            for k in range(first, first + size):
                write_float32(tiled, place, float32_at(labels, k))
                place += 1
        first += size
    return place


@njit(**INLINED)
def scores_loss(scores, labels, n_scores):
    """Sum over all scores of the negative log-likelihood of their labels, in nats, without fillers (label 0.5)."""
    total = 0.0
    for i in range(n_scores):
        label = float32_at(labels, i)
        if label != 0.5:
            x = np.float64(float32_at(scores, i)) * (1.0 - 2.0 * label)
            total += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    return total
