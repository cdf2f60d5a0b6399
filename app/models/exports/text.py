"""Text: a word and its numbers a line, as word2vec, GloVe and fastText write it, and JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson

from app.core.table.arrays import FloatArray
from app.models.exports.selection import Selection


def numbers(vectors: FloatArray) -> list[bytes]:
    """Each row with commas between its numbers: the fewest digits that read back as the same float32."""
    written = orjson.dumps(np.ascontiguousarray(vectors), option=orjson.OPT_SERIALIZE_NUMPY)
    return written[2:-2].split(b"],[")


def write_word2vec_text(selection: Selection) -> Iterator[bytes]:
    """A header with words and dimensions, then as `write_glove`."""
    yield b"%d %d\n" % (selection.n_words, selection.dim)
    yield from write_glove(selection)


def write_glove(selection: Selection) -> Iterator[bytes]:
    """A word and its numbers with single spaces between, the most frequent word first."""
    for block in selection.blocks():
        rows = zip(block.words, numbers(block.vectors), strict=True)
        yield b"".join([b"%b %b\n" % (word.encode(), row.replace(b",", b" ")) for word, row in rows])


def write_json_lines(selection: Selection) -> Iterator[bytes]:
    """An object a line: ``word``, ``count`` where counts are known, ``vector``."""
    for block in selection.blocks():
        heads = [orjson.dumps({"word": word})[:-1] for word in block.words]
        if block.counts is not None:
            heads = [b'%b,"count":%d' % (head, n) for head, n in zip(heads, block.counts.tolist(), strict=True)]
        rows = zip(heads, numbers(block.vectors), strict=True)
        yield b"".join([b'%b,"vector":[%b]}\n' % (head, row) for head, row in rows])
