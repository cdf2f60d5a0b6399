"""Word2Vec over blocks of a corpus: skip-gram and CBOW, each for both objectives, compiled one by one.

One window is one small matrix product. The objective names the output rows and their labels: the center and its
negatives (1, 0, 0, ...), or the inner nodes on the center's Huffman path. The architecture says how the context rows
meet them: each by itself (skip-gram) or as their mean (CBOW). As in word2vec.c and gensim, and unlike fastText, it is
the *context's* input vector that predicts the center.

Mikolov et al. 2013, "Distributed Representations of Words and Phrases", eq. 3 and 4; window-wide noise as in
Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed Memory".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numba import njit
from numba.extending import overload

from trainer.kernels.hashing import mixed
from trainer.kernels.logistic import logistic_gradients
from trainer.kernels.memory import int32_at, int64_at, write_float32, write_int64
from trainer.kernels.options import INLINED, KERNEL_OPTIONS
from trainer.kernels.simd import add_to_rows, prefetch_row, score_rows, sum_rows, update_rows
from trainer.kernels.word2vec.input_rows import fetch, slide
from trainer.kernels.word2vec.layout import (
    KEPT,
    LOSS,
    LOSS_PREDICTIONS,
    MAX_GROUP,
    MAX_ROWS,
    PREDICTIONS,
    SLOTS,
    WINDOWS,
    Scratch,
    Stream,
    Tables,
    Targets,
    addresses_of,
)
from trainer.kernels.word2vec.objectives import (
    PATH_TAIL,
    ask_for_path,
    choose_noise,
    choose_path,
    scores_loss,
    tile_labels,
)
from trainer.kernels.word2vec.replicas import copy_rows, merge_replicas, rows_due
from trainer.kernels.word2vec.windows import drawn_window, gather_context, kept_tokens


def groups(n_outputs: int) -> tuple[int, int]:
    """Sizes (group, tail) of the products that `n_outputs` rows are cut into: full groups, then tails."""
    group = min(n_outputs, MAX_GROUP)
    return group, n_outputs % group or 1


def _step(rows, outputs, at, rate, tally, wants_loss, is_path, group, tail, dim):
    """Take one step for some rows against the output rows of a slot.

    `rows` are where addresses to read from and to add to lie, and how many; `outputs` the slot, the slot ahead of it,
    and how many output rows. All scores are taken before anything is written. Output rows are then updated group by
    group, so that a negative that is drawn twice, in two groups, is seen by the second as the first left it. The rows
    of the slot ahead are fetched meanwhile, as many as are updated.
    """
    raise NotImplementedError


@overload(_step, prefer_literal=True)
def _step_of(rows, outputs, at, rate, tally, wants_loss, is_path, group, tail, dim):
    size, rest, width = group.literal_value, tail.literal_value, dim.literal_value

    def step(rows, outputs, at, rate, tally, wants_loss, is_path, group, tail, dim):
        sources, sinks, n_rows = rows
        slot, ahead, n_outputs = outputs
        output_rows, later = at.output_rows + 8 * slot * at.slot, at.output_rows + 8 * ahead * at.slot
        scores, copies = at.scores, at.copies
        first = 0
        while n_outputs - first >= size:
            score_rows(sources, n_rows, output_rows + 8 * first, copies, scores + 4 * first * n_rows, size, width)
            first += size
        while n_outputs > first:
            score_rows(sources, n_rows, output_rows + 8 * first, copies, scores + 4 * first * n_rows, rest, width)
            first += rest
        n_scores = first * n_rows
        if is_path or n_outputs > size:  # else the labels of one whole group were tiled once and for all
            tile_labels(at.labels + 4 * slot * at.slot, n_outputs, n_rows, size, rest, at.tiled_labels)
        if wants_loss:
            tally[LOSS] += scores_loss(scores, at.tiled_labels, n_scores)
            tally[LOSS_PREDICTIONS] += n_rows
        logistic_gradients(scores, at.tiled_labels, n_scores, rate)
        first = 0
        while n_outputs - first >= size:
            gradients = scores + 4 * first * n_rows
            update_rows(sinks, n_rows, output_rows + 8 * first, copies, gradients, later + 8 * first, size, width)
            first += size
        while n_outputs > first:
            gradients = scores + 4 * first * n_rows
            update_rows(sinks, n_rows, output_rows + 8 * first, copies, gradients, later + 8 * first, rest, width)
            first += rest

    return step


@njit(**INLINED)
def _next_center(words, i, last):
    while i < last and int32_at(words, i) < 0:
        i += 1
    return i


Kernel = Callable[[Stream, Targets, Tables, Scratch, int, int], None]


@lru_cache(maxsize=64)
def block_kernel(architecture: str, dim: int, n_negatives: int) -> Kernel:
    """The kernel ``train(stream, targets, tables, scratch, first, last)`` for these compile-time numbers.

    Parameters
    ----------
    architecture : "skip-gram" or "cbow"
    dim : length of a vector
    n_negatives : 0 for hierarchical softmax
    """
    group, tail = groups(n_negatives + 1) if n_negatives else (MAX_GROUP, PATH_TAIL)
    is_cbow = architecture == "cbow"
    is_path = n_negatives == 0

    @njit(**KERNEL_OPTIONS)
    def train(stream, targets, tables, scratch, first_place, last_place):
        at = addresses_of(targets, tables, scratch)
        window, shrink_windows, loss_every = stream.window, stream.shrink_windows, stream.loss_every
        ids, keep, words, bits = stream.ids, stream.keep, scratch.words, scratch.bits
        tally, shares = scratch.tally, stream.context_shares
        hidden = at.contexts + 8 * (len(scratch.contexts) - 2)  # lists of one address: CBOW reads and writes there
        change = hidden + 8
        write_int64(hidden, 0, at.hidden)
        write_int64(change, 0, at.change)
        if not is_path:
            for slot in range(SLOTS):
                for k in range(n_negatives + 1):
                    write_float32(at.labels, slot * at.slot + k, np.float32(1.0 if k == 0 else 0.0))
            tile_labels(at.labels, group, 2 * window, group, tail, at.tiled_labels)
        copy_rows(tables.input_vectors, scratch.input_replicas)
        copy_rows(tables.output_vectors, scratch.output_replicas)
        n_merges, until_merge = 0, scratch.merge_every
        n_kept, n_windows, n_predictions = 0, 0, 0
        for place in range(first_place, last_place):
            block, rate = stream.order[place], stream.learning_rates[place]
            left, first, last, end = kept_tokens(ids, block, keep, stream.token_key, window, words, bits)
            key = mixed(stream.noise_key, np.uint64(block))
            counter = np.uint64(0)
            slot, n_outputs, n_next = 0, 0, 0
            ring = (left, left)
            center, following, later = first - 1, first - 1, _next_center(at.words, first, last)
            while center < last:
                ahead = (slot + SLOTS - 1) % SLOTS
                n_later = 0
                after = _next_center(at.words, later + 1, last)
                if is_path and after < last:
                    ask_for_path(at, np.int64(int32_at(at.words, after)))
                if later < last:
                    word = np.int64(int32_at(at.words, later))
                    if is_path:
                        n_later = choose_path(at, word, ahead)
                    else:
                        n_later = n_negatives + 1
                        counter = choose_noise(at, word, ahead, key, counter, n_negatives)
                    for k in range(n_outputs, n_later):  # `_step` fetches as many as it updates
                        prefetch_row(int64_at(at.output_rows, ahead * at.slot + k), dim)
                    entering = later + window
                    if entering < end:
                        fetch(at, entering, dim)
                if n_outputs > 0:
                    if at.ring:
                        near = (max(left, center - window), min(end, center + window + 1))
                        ring = slide(at, ring, near, dim)
                    until_merge -= 1
                    if until_merge == 0:
                        n_merges += 1
                        until_merge = scratch.merge_every
                        merge_replicas(tables.input_vectors, scratch.input_replicas, rows_due(n_merges))
                        merge_replicas(tables.output_vectors, scratch.output_replicas, rows_due(n_merges))
                    n_kept += 1
                    reach = drawn_window(bits[center], window, shrink_windows)
                    n = gather_context(at, center, left, end, reach)
                    if n > 0:
                        n_windows += 1
                        wants_loss = center % loss_every == 0
                        sources, sinks, n_rows = at.contexts, at.contexts, n
                        if is_cbow:
                            sum_rows(at.contexts, n, np.float32(1.0) / np.float32(n), at.hidden, dim)
                            sources, sinks, n_rows = hidden, change, 1
                        n_predictions += n_rows
                        outputs = (slot, ahead, n_outputs)
                        for k in range(0, n_rows, MAX_ROWS):
                            rows = (sources + 8 * k, sinks + 8 * k, min(n_rows - k, MAX_ROWS))
                            _step(rows, outputs, at, rate, tally, wants_loss, is_path, group, tail, dim)
                        if is_cbow:
                            add_to_rows(at.contexts, n, shares[n], at.change, dim)
                center, following, later = following, later, after
                n_outputs, n_next = n_next, n_later
                slot = (slot + 1) % SLOTS
            if at.ring:
                slide(at, ring, (ring[1], ring[1]), dim)
        merge_replicas(tables.input_vectors, scratch.input_replicas, at.n_replicas)
        merge_replicas(tables.output_vectors, scratch.output_replicas, at.n_replicas)
        tally[KEPT] += n_kept
        tally[WINDOWS] += n_windows
        tally[PREDICTIONS] += n_predictions

    return train
