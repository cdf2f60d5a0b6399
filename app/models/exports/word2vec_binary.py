"""word2vec's binary file: a header, and for each word its bytes, a space and float32 numbers, as gensim writes it."""

from __future__ import annotations

from collections.abc import Iterator

from app.models.exports.selection import Selection


def write_word2vec_binary(selection: Selection) -> Iterator[bytes]:
    """Little-endian; no line feed after a vector."""
    yield b"%d %d\n" % (selection.n_words, selection.dim)
    for block in selection.blocks():
        rows = zip(block.words, block.vectors.astype("<f4", copy=False), strict=True)
        yield b"".join([b"%b %b" % (word.encode(), row.tobytes()) for word, row in rows])
