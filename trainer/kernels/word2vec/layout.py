"""What the Word2Vec kernels are given: the stream, the tables, where output rows come from, and memory to work in."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from trainer.kernels.llvm import LANES
from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.rows import padded
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS

MAX_GROUP = 6
"""Output rows of one product; two context rows' accumulators and operands then fill 16 vector registers."""

MAX_ROWS = 32
"""Context rows of one product. Their changes of an output row add up, and the sum over a window of 120 goes too far."""

SLOTS = 3
"""Windows whose output rows are known at a time."""

LINE_PAIR = 128
"""Bytes that processors fetch and hand over together."""

KEPT, WINDOWS, PREDICTIONS, LOSS, LOSS_PREDICTIONS = range(5)


class Stream(NamedTuple):
    """What is read, and how: one epoch's view of the corpus.

    Blocks are trained in `order`, each at the learning rate of its place there. `context_shares[n]` is what each of a
    window's n context rows takes of the gradient of their mean, CBOW only.
    """

    ids: npt.NDArray[np.int32]
    keep: npt.NDArray[np.uint32]
    order: npt.NDArray[np.int64]
    learning_rates: npt.NDArray[np.float32]
    token_key: np.uint64
    noise_key: np.uint64
    window: int
    shrink_windows: bool
    loss_every: int
    context_shares: npt.NDArray[np.float32]


class Targets(NamedTuple):
    """Where output rows come from: an alias table of the noise distribution, or Huffman paths; the other is empty."""

    alias_table: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    points: npt.NDArray[np.int32]
    labels: npt.NDArray[np.float32]


class Parts(NamedTuple):
    """The input rows whose mean each word is: word i's are ``rows[offsets[i]:offsets[i + 1]]``."""

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]


NO_PARTS = Parts(np.zeros(0, np.int64), np.zeros(0, np.int32))
"""Each word has an input row of its own."""


class Tables(NamedTuple):
    """Input and output rows, float32, each row 64-byte aligned and padded with zeros; and parts, or `NO_PARTS`."""

    input_vectors: npt.NDArray[np.float32]
    output_vectors: npt.NDArray[np.float32]
    part_offsets: npt.NDArray[np.int64] = NO_PARTS.offsets
    part_rows: npt.NDArray[np.int32] = NO_PARTS.rows


class Scratch(NamedTuple):
    """Memory of one thread. Slots of output rows: while one window's are used, the second next one's are fetched.

    Replicas are of the first rows of both tables (`kernels.word2vec.replicas`), merged every `merge_every` windows. The
    ring has rows that words are composed in (`kernels.word2vec.input_rows`), if they are.
    """

    words: npt.NDArray[np.int32]
    bits: npt.NDArray[np.uint64]
    contexts: npt.NDArray[np.int64]
    output_rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float32]
    tiled_labels: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    rows: npt.NDArray[np.float32]
    tally: npt.NDArray[np.float64]
    input_replicas: npt.NDArray[np.float32]
    output_replicas: npt.NDArray[np.float32]
    merge_every: int
    ring: npt.NDArray[np.float32]
    parts: npt.NDArray[np.int64]


def new_scratch(
    window: int, dim: int, max_outputs: int, n_replicas: int, merge_every: int, max_parts: int = 0
) -> Scratch:
    """Scratch for one thread, for windows of `window` words a side and at most `max_outputs` output rows.

    `max_parts` are the most rows that a word is composed of, 0 where it has one of its own.
    """
    replicas = (2, n_replicas, padded(dim))
    n_slots = 1 << (2 * window + 1).bit_length() if max_parts else 0
    n_outputs = -(-max_outputs // MAX_GROUP) * MAX_GROUP + MAX_GROUP
    width = -(-dim // LANES) * LANES
    n_scores = 2 * window * n_outputs + LANES
    return Scratch(
        words=_apart(BLOCK_POSITIONS + 2 * window, np.int32),
        bits=_apart(BLOCK_POSITIONS + 2 * window, np.uint64),
        contexts=_apart(2 * window + 2, np.int64),
        output_rows=_apart(SLOTS * n_outputs, np.int64).reshape(SLOTS, n_outputs),
        labels=_apart(SLOTS * n_outputs, np.float32).reshape(SLOTS, n_outputs),
        tiled_labels=_apart(n_scores, np.float32),
        scores=_apart(n_scores, np.float32),
        rows=_apart((2 * window + 3) * width, np.float32).reshape(-1, width),
        tally=_apart(5, np.float64),
        input_replicas=_apart(math.prod(replicas), np.float32).reshape(replicas),
        output_replicas=_apart(math.prod(replicas), np.float32).reshape(replicas),
        merge_every=merge_every,
        ring=_apart(n_slots * 2 * width, np.float32).reshape(n_slots, 2, width),
        parts=_apart(max_parts + 2, np.int64),
    )


def _apart(size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros that share no pair of cache lines with other memory: threads that write side by side would wait."""
    n_bytes = size * np.dtype(dtype).itemsize
    buffer = np.zeros(-(-n_bytes // LINE_PAIR) * LINE_PAIR + LINE_PAIR, np.uint8)
    start = -buffer.ctypes.data % LINE_PAIR
    return buffer[start : start + n_bytes].view(dtype)


class Addresses(NamedTuple):
    """Where one thread's scratch and the tables lie; `slot` strides are in numbers, all others in bytes."""

    words: int
    contexts: int
    output_rows: int
    labels: int
    tiled_labels: int
    scores: int
    copies: int
    hidden: int
    change: int
    filler: int
    slot: int
    input_table: int
    output_table: int
    input_replicas: int
    output_replicas: int
    n_replicas: int
    stride: int
    alias_table: int
    n_words: int
    offsets: int
    points: int
    point_labels: int
    part_offsets: int
    part_rows: int
    parts: int
    ring: int
    last_slot: int
    ring_stride: int


@njit(**KERNEL_OPTIONS)
def addresses_of(targets, tables, scratch):
    width = 4 * scratch.rows.shape[1]
    hidden = scratch.rows.ctypes.data + (scratch.rows.shape[0] - 3) * width
    return Addresses(
        scratch.words.ctypes.data,
        scratch.contexts.ctypes.data,
        scratch.output_rows.ctypes.data,
        scratch.labels.ctypes.data,
        scratch.tiled_labels.ctypes.data,
        scratch.scores.ctypes.data,
        scratch.rows.ctypes.data,
        hidden,
        hidden + width,
        hidden + 2 * width,
        scratch.output_rows.shape[1],
        tables.input_vectors.ctypes.data,
        tables.output_vectors.ctypes.data,
        scratch.input_replicas.ctypes.data,
        scratch.output_replicas.ctypes.data,
        scratch.input_replicas.shape[1],
        4 * tables.input_vectors.shape[1],
        targets.alias_table.ctypes.data,
        tables.output_vectors.shape[0],
        targets.offsets.ctypes.data,
        targets.points.ctypes.data,
        targets.labels.ctypes.data,
        tables.part_offsets.ctypes.data,
        tables.part_rows.ctypes.data,
        scratch.parts.ctypes.data,
        np.int64(scratch.ring.ctypes.data) if scratch.ring.size else np.int64(0),
        scratch.ring.shape[0] - 1,
        4 * scratch.ring.shape[1] * scratch.ring.shape[2],
    )
