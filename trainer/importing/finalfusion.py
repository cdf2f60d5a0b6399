"""Vectors as finalfusion writes them: chunks for the words, the unit vectors and their lengths."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from app.core.errors import VectorsUnreadable
from app.core.table.arrays import FloatArray
from trainer.importing.matrix import Matrix, as_float32
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.source import Source, check_shape

MAGIC = b"FiFu"
VOCABULARY, MATRIX, METADATA, NORMS = 1, 2, 5, 6
REFUSED = {
    3: "a vocabulary with buckets of subwords",
    4: "a quantised matrix",
    7: "a vocabulary with fastText's subwords",
    8: "a vocabulary with listed subwords",
    9: "a vocabulary with floret's subwords",
}
ADVICE = "Convert the file with finalfusion-utils (finalfusion convert --to word2vec) and import the result"
FLOAT32 = 10
MAX_CHUNKS = 16


class _Chunk(NamedTuple):
    """A chunk's content: where it is in the file."""

    start: int
    n_bytes: int


def read_finalfusion(source: Source) -> Collected:
    """Read words, vectors and, where they are stored, lengths, which the vectors are multiplied by.

    Raises
    ------
    VectorsUnreadable
        With the byte; also for chunks that cannot be read.
    """
    with source.path.open("rb") as file:
        chunks = _chunks(file, source.n_bytes)
        matrix = _matrix(file, chunks[MATRIX], source)
        check_shape(matrix.n_rows, matrix.dim)
        lengths = _norms(file, chunks[NORMS], matrix.n_rows) if NORMS in chunks else None
        words, places = _words(file, chunks[VOCABULARY])
    if len(words) != matrix.n_rows:
        raise VectorsUnreadable(
            f"Byte {matrix.start}: the matrix has {matrix.n_rows} rows, the vocabulary {len(words)} words.",
            byte=matrix.start,
        )
    numbers = matrix.mapped()
    collector = Collector(matrix.n_rows, matrix.dim, source.policies, source.reader, "byte")
    for start in range(0, matrix.n_rows, matrix.rows_at_once):
        rows = slice(start, start + matrix.rows_at_once)
        vectors = as_float32(numbers[rows], matrix.dtype)
        if lengths is not None:
            with np.errstate(all="ignore"):
                vectors = vectors * lengths[rows, None]
        collector.take(Batch(words[rows], vectors, places[rows]))
        source.told((start + len(vectors)) / matrix.n_rows)
    return collector.finish()


def _chunks(file: BinaryIO, n_bytes: int) -> dict[int, _Chunk]:
    """All chunks by their kind, each within the file."""
    magic, version, n_chunks = _unpacked(file, "<4sII", 0)
    if magic != MAGIC or version != 0 or not 0 < n_chunks <= MAX_CHUNKS:
        raise VectorsUnreadable("Byte 0: this is no finalfusion file of version 0.", byte=0)
    place = 12 + 4 * n_chunks
    chunks: dict[int, _Chunk] = {}
    for _ in range(n_chunks):
        kind, size = _unpacked(file, "<IQ", place)
        if kind in REFUSED:
            raise VectorsUnreadable(f"Byte {place}: {REFUSED[kind]}, which is not read. {ADVICE}.", byte=place)
        if kind not in {VOCABULARY, MATRIX, METADATA, NORMS} or kind in chunks or size > n_bytes - place - 12:
            raise VectorsUnreadable(
                f"Byte {place}: a chunk of kind {kind} and {size} bytes; {n_bytes - place - 12} follow. The kind is "
                "unknown or came before, or the file was cut.",
                byte=place,
            )
        chunks[kind] = _Chunk(place + 12, size)
        place += 12 + size
    for kind, what in (VOCABULARY, "words"), (MATRIX, "matrix"):
        if kind not in chunks:
            raise VectorsUnreadable(f"The file has no {what}; its chunks end at byte {place}.", byte=place)
    if place != n_bytes:
        raise VectorsUnreadable(f"Its chunks end at byte {place}, the file at byte {n_bytes}.", byte=place)
    return chunks


def _matrix(file: BinaryIO, chunk: _Chunk, source: Source) -> Matrix:
    n_rows, dim, kind = _unpacked(file, "<QII", chunk.start)
    start = _aligned(chunk.start + 16)
    matrix = Matrix(source.path, start, "F32", n_rows, dim)
    if kind != FLOAT32 or start + matrix.n_bytes != chunk.start + chunk.n_bytes:
        raise _misfit("matrix", f"{n_rows} x {dim}", kind, chunk)
    return matrix


def _norms(file: BinaryIO, chunk: _Chunk, n_rows: int) -> FloatArray:
    n_norms, kind = _unpacked(file, "<QI", chunk.start)
    start = _aligned(chunk.start + 12)
    if kind != FLOAT32 or n_norms != n_rows or start + 4 * n_norms != chunk.start + chunk.n_bytes:
        raise _misfit("lengths", f"{n_norms} for {n_rows} words", kind, chunk)
    file.seek(start)
    return np.frombuffer(file.read(4 * n_norms), "<f4")


def _words(file: BinaryIO, chunk: _Chunk) -> tuple[list[bytes], list[int]]:
    """The words, and the byte of each."""
    file.seek(chunk.start)
    content = file.read(chunk.n_bytes)
    words: list[bytes] = []
    places: list[int] = []
    place = 8
    n_words = int.from_bytes(content[:8], "little")
    while place + 4 <= len(content) and len(words) < n_words:
        start = place + 4
        place = start + int.from_bytes(content[place:start], "little")
        words.append(content[start:place])
        places.append(chunk.start + start)
    if place != len(content) or len(words) != n_words:
        raise VectorsUnreadable(
            f"Byte {chunk.start}: a vocabulary of {n_words} words and {chunk.n_bytes} bytes has {len(words)} words "
            f"that end after {place} bytes.",
            byte=chunk.start,
        )
    return words, places


def _unpacked(file: BinaryIO, layout: str, place: int) -> tuple[Any, ...]:
    file.seek(place)
    content = file.read(struct.calcsize(layout))
    if len(content) < struct.calcsize(layout):
        raise VectorsUnreadable(f"The file ends at byte {place + len(content)}, before it is complete.", byte=place)
    return struct.unpack(layout, content)


def _aligned(place: int) -> int:
    """Where numbers begin: behind 1 to 4 bytes that are left out."""
    return place + 4 - place % 4


def _misfit(what: str, told: str, kind: int, chunk: _Chunk) -> VectorsUnreadable:
    return VectorsUnreadable(
        f"Byte {chunk.start}: {what} of {told} numbers of kind {kind}, in {chunk.n_bytes} bytes; float32 (kind "
        f"{FLOAT32}) is read, and the numbers must fill their chunk.",
        byte=chunk.start,
    )
