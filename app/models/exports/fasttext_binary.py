"""fastText's binary format, version 12: a dictionary with counts, rows of words and of all buckets of n-grams."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.core.table.arrays import FloatArray
from app.core.table.manifest import TrainedOrigin
from app.core.table.parts import Ngrams
from app.core.text.ngrams import ngram_hashes
from app.core.vector_files import FASTTEXT_MAGIC
from app.models.exports.selection import BLOCK_NUMBERS, Selection

VERSION, ONE_WORD, UPDATE_RATE, NOT_PRUNED = 12, 1, 100, -1
HIERARCHICAL_SOFTMAX, NEGATIVE_SAMPLING = 1, 2
CBOW, SKIP_GRAM = 1, 2
LINE_END = "</s>"
"""The one word to which fastText gives no n-grams."""


def write_fasttext_binary(selection: Selection) -> Iterator[bytes]:
    """Little-endian; a version without n-grams, or with those of jamo, becomes a model without.

    fastText's vector of a word is the mean of its row and of those of its n-grams, so the row is n times the vector
    less those. Buckets that the version does not have are zero, and so is the second matrix, of output rows, which
    only further training reads.
    """
    ngrams = selection.manifest.composition
    ngrams = ngrams if isinstance(ngrams, Ngrams) and ngrams.unit == "character" else None
    n_words, dim, n_buckets = selection.n_words, selection.dim, ngrams.n_buckets if ngrams else 0
    counts = np.concatenate(list(selection.rows("counts")))
    yield FASTTEXT_MAGIC + struct.pack("<i", VERSION) + _arguments(selection, ngrams)
    yield struct.pack("<3iqq", n_words, n_words, 0, int(counts.sum()), NOT_PRUNED)
    place = 0
    for words in selection.blocks_of_words():
        entries = zip(words, counts[place : place + len(words)].tolist(), strict=True)
        yield b"".join([word.encode() + struct.pack("<xqb", count, 0) for word, count in entries])
        place += len(words)
    yield struct.pack("<?qq", False, n_words + n_buckets, dim)
    for block in selection.blocks():
        vectors = block.vectors
        rows = _own_rows(selection, ngrams, block.words, vectors) if ngrams else vectors
        yield rows.astype("<f4", copy=False).tobytes()
    yield from _buckets(selection, n_buckets)
    yield struct.pack("<?qq", False, n_words, dim)
    for words in selection.blocks_of_words():
        yield bytes(4 * dim * len(words))


def _arguments(selection: Selection, ngrams: Ngrams | None) -> bytes:
    """How it was trained, as far as it is known, and how words are cut."""
    origin = selection.manifest.origin
    said: dict[str, Any] = origin.hyperparameters if isinstance(origin, TrainedOrigin) else {}
    is_path = said.get("objective") == "hierarchical-softmax"
    numbers = (
        selection.dim,
        said.get("window", 5),
        said.get("epochs", 5),
        said.get("min_count", 1),
        said.get("n_negatives", 5),
        ONE_WORD,
        HIERARCHICAL_SOFTMAX if is_path else NEGATIVE_SAMPLING,
        CBOW if said.get("architecture") == "cbow" else SKIP_GRAM,
        *((ngrams.n_buckets, ngrams.min_n, ngrams.max_n) if ngrams else (0, 0, 0)),
        UPDATE_RATE,
    )
    return struct.pack("<12id", *numbers, said.get("subsampling_threshold", 1e-4))


def _own_rows(selection: Selection, ngrams: Ngrams, words: list[str], vectors: FloatArray) -> FloatArray:
    """The rows of the words themselves, float32 (n, dim)."""
    cut = [[] if word == LINE_END else ngram_hashes(word, ngrams.min_n, ngrams.max_n) for word in words]
    lengths = np.array([len(hashes) for hashes in cut])
    buckets, places = np.unique(
        np.array([code % ngrams.n_buckets for hashes in cut for code in hashes], np.int64), return_inverse=True
    )
    parts = selection.parts(buckets)
    rows = vectors * (1.0 + lengths)[:, None]
    np.subtract.at(rows, np.repeat(np.arange(len(words)), lengths), parts[places])
    return rows.astype(np.float32)


def _buckets(selection: Selection, n_buckets: int) -> Iterator[bytes]:
    """The rows of all buckets, some at a time."""
    step = max(1, BLOCK_NUMBERS // selection.dim)
    for first in range(0, n_buckets, step):
        yield selection.parts(np.arange(first, min(first + step, n_buckets))).astype("<f4", copy=False).tobytes()
