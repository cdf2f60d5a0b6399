"""numpy's zip of arrays: ``vectors``, ``counts`` where they are known, and the words as ``words.json``.

An array of strings would give every word the room of the longest.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator

import numpy as np
import orjson

from app.models.exports.pieces import Pieces
from app.models.exports.selection import Selection


def write_npz(selection: Selection) -> Iterator[bytes]:
    """Not compressed, as `numpy.savez` writes it."""
    pieces = Pieces()
    vectors = (block.vectors.astype("<f4", copy=False).tobytes() for block in selection.blocks())
    parts: list[tuple[str, Iterable[bytes]]] = [
        ("vectors.npy", _array("<f4", (selection.n_words, selection.dim), vectors))
    ]
    if selection.counts_known:
        counts = (counts.astype("<i8", copy=False).tobytes() for counts in selection.rows("counts"))
        parts.append(("counts.npy", _array("<i8", (selection.n_words,), counts)))
    parts.append(("words.json", _words(selection)))
    with zipfile.ZipFile(pieces, "w") as file:
        for name, content in parts:
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:  # of the year 1980
                for piece in content:
                    member.write(piece)
                    yield pieces.taken()
    yield pieces.taken()


def _array(dtype: str, shape: tuple[int, ...], content: Iterable[bytes]) -> Iterator[bytes]:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": dtype, "fortran_order": False, "shape": shape})
    yield head.getvalue()
    yield from content


def _words(selection: Selection) -> Iterator[bytes]:
    yield b"["
    separator = b""
    for words in selection.blocks_of_words():
        yield separator + orjson.dumps(words)[1:-1]
        separator = b","
    yield b"]"
