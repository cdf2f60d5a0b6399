"""finalfusion: the words, unit vectors and lengths, each in a chunk of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from app.models.exports.selection import Selection

MAGIC, VERSION = b"FiFu", 0
SIMPLE_VOCAB, ND_ARRAY, NORMS = 1, 2, 6
FLOAT32 = 10


def write_finalfusion(selection: Selection) -> Iterator[bytes]:
    """SimpleVocab, NdArray and Norms, little-endian; every array begins at a multiple of four bytes."""
    n_words, dim = selection.n_words, selection.dim
    vocabulary = selection.vocabulary()
    vocab_bytes = 8 + 4 * n_words + len(vocabulary.word_bytes)
    head = MAGIC + struct.pack("<6I", VERSION, 3, SIMPLE_VOCAB, ND_ARRAY, NORMS, SIMPLE_VOCAB)
    head += struct.pack("<QQ", vocab_bytes, n_words)
    yield head
    for words in selection.blocks_of_words():
        yield b"".join([struct.pack("<I", len(word)) + word for word in map(str.encode, words)])
    position = len(head) - 8 + vocab_bytes
    padding = _padding(position)
    yield struct.pack(f"<IQQII{padding}x", ND_ARRAY, 16 + padding + 4 * n_words * dim, n_words, dim, FLOAT32)
    for block in selection.blocks():
        yield block.unit_vectors.astype("<f4", copy=False).tobytes()
    padding = _padding(position + 28 + padding + 4 * n_words * dim)
    yield struct.pack(f"<IQQI{padding}x", NORMS, 12 + padding + 4 * n_words, n_words, FLOAT32)
    for norms in selection.rows("norms"):
        yield norms.astype("<f4", copy=False).tobytes()


def _padding(position: int) -> int:
    """Bytes between the head of an array's chunk, which begins there, and the array; four where none are needed."""
    return 4 - position % 4
