"""Models of fastText in its binary format: words with counts, and vectors that are made of n-grams, too."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.names import MAX_WORD_BYTES
from app.core.table.parts import Ngrams, Parts
from app.core.vector_files import FASTTEXT_MAGIC
from trainer.importing.matrix import Matrix
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.source import Source, check_shape
from trainer.kernels.vectors.subwords import compose_words, joined, listed_ngrams

VERSIONS = (11, 12)
SUPERVISED = 3
LINE_END = b"</s>"
"""Stands for the end of a line, and has no n-grams since the format has its magic number."""
MOST_CHARACTERS = 64
"""Of an n-gram; nobody takes as many, and a header that lies must not cost hours."""
MAX_COUNT = 10**15
_ADVICE = "Save its vectors as text: `fasttext print-word-vectors MODEL < WORDS`, or take the model that it was made of"
_LABEL = "a label of a supervised model"


class _Model(NamedTuple):
    """The header: settings, and how many entries the dictionary has."""

    has_magic: bool
    dim: int
    n_buckets: int
    sizes: tuple[int, int]
    n_words: int
    n_labels: int
    start: int

    @property
    def n_ngrams(self) -> int:
        """Buckets that words of it can have; none where the least number of characters is above the most."""
        return self.n_buckets if max(self.sizes[0], 1) <= self.sizes[1] else 0


class _Entry(NamedTuple):
    spelled: bytes
    place: int
    occurrences: int
    end: int


def read_fasttext(source: Source) -> Collected:
    """Read words with their counts, compose their vectors, and keep the rows of n-grams that `policies` ask for.

    Raises
    ------
    VectorsUnreadable
        With the byte; also for models that are quantised or pruned.
    """
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        model = _model(content)
        entries = list(_entries(content, model))
        matrix = _matrix(content, model, entries[-1].end, source)
    check_shape(model.n_words + (model.n_ngrams if source.policies.ngrams == "keep" else 0), model.dim)
    rows = np.asarray(matrix.mapped()).view(np.uint8)
    collector = Collector(model.n_words, model.dim, source.policies, source.reader, "byte")
    trained = np.zeros(model.n_ngrams, np.uint8)
    for start in range(0, model.n_words, matrix.rows_at_once):
        some = entries[start : min(start + matrix.rows_at_once, model.n_words)]
        words = [entry.spelled for entry in some]
        vectors = np.empty((len(some), model.dim), np.float32)
        offsets, buckets = _ngrams_of(words, model)
        compose_words(rows, start, model.n_words, offsets, buckets, vectors)
        trained[buckets] = 1
        places, counts = [entry.place for entry in some], [entry.occurrences for entry in some]
        collector.take(Batch(words, vectors, places, counts))
        source.told((start + len(some)) / model.n_words)
    for label in entries[model.n_words :]:
        collector.n_rows += 1
        collector.leave_out(_LABEL, label.spelled.decode(errors="replace"), label.place, "drop")
    collected = replace(collector.finish(), n_ngrams=model.n_ngrams)
    if not model.n_ngrams or source.policies.ngrams == "drop":
        return collected
    if source.policies.ngrams == "keep":
        return replace(collected, parts=_ngrams(matrix, model, np.arange(model.n_ngrams), trained))
    wanted = np.flatnonzero(trained)
    check_shape(model.n_words + len(wanted), model.dim)
    return replace(collected, parts=_ngrams(matrix, model, wanted, None)) if len(wanted) else collected


def _ngrams(
    matrix: Matrix, model: _Model, wanted: npt.NDArray[np.int64], trained: npt.NDArray[np.uint8] | None
) -> Parts:
    """The rows of these buckets, as fastText takes them; those that are not finite are left out."""
    rows = np.asarray(matrix.mapped()[model.n_words + wanted], np.float32)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        rows, wanted, trained = rows[finite], wanted[finite], trained if trained is None else trained[finite]
    min_n, max_n = model.sizes
    composition = Ngrams(min_n=max(min_n, 1), max_n=max_n, n_buckets=model.n_buckets)
    return Parts(composition, rows, wanted.astype(np.int32), trained=trained)


def _model(content: mmap.mmap) -> _Model:
    """The header up to the dictionary's entries; files before version 11 have neither magic nor version."""
    has_magic = content[:4] == FASTTEXT_MAGIC
    version, place = 0, 0
    if has_magic:
        (version,), place = _unpacked(content, "<i", 4), 8
        if version not in VERSIONS:
            raise VectorsUnreadable(f"Byte 4: version {version} of fastText's format; 11 and 12 are read.", byte=4)
    said = _unpacked(content, "<12id", place)
    dim, kind, n_buckets, min_n, max_n = said[0], said[7], said[8], said[9], said[10]
    if version == 11 and kind == SUPERVISED:
        max_n = 0
    at, place = place, place + 56
    n_entries, n_words, n_labels, _ = _unpacked(content, "<3iq", place)
    place += 20
    n_pruned = _unpacked(content, "<q", place)[0] if has_magic else -1
    start = place + 8 * has_magic
    if not (
        dim > 0
        and 0 <= min_n <= MOST_CHARACTERS
        and 0 <= max_n <= MOST_CHARACTERS
        and n_buckets >= 0
        and n_words > 0
        and n_labels >= 0
        and n_entries == n_words + n_labels
        and 10 * n_entries <= len(content) - start
    ):
        raise VectorsUnreadable(
            f"Byte {at}: no header of a fastText model: {dim} dimensions, n-grams of {min_n} to {max_n} characters in "
            f"{n_buckets} buckets; {n_entries} entries, {n_words} words and {n_labels} labels in {len(content)} bytes.",
            byte=at,
        )
    if n_pruned >= 0:
        raise VectorsUnreadable(f"Byte {start - 8}: a pruned model is not read. {_ADVICE}.", byte=start - 8)
    return _Model(has_magic, dim, n_buckets, (min_n, max_n), n_words, n_labels, start)


def _entries(content: mmap.mmap, model: _Model) -> Iterator[_Entry]:
    """The dictionary: words, then labels."""
    place = model.start
    for i in range(model.n_words + model.n_labels):
        end = content.find(b"\0", place, place + MAX_WORD_BYTES + 1)
        if end < 0:
            raise VectorsUnreadable(f"Byte {place}: a word should end within {MAX_WORD_BYTES} bytes.", byte=place)
        count, kind = _unpacked(content, "<qb", end + 1)
        if kind != int(i >= model.n_words) or not 0 <= count <= MAX_COUNT:
            raise VectorsUnreadable(
                f"Byte {place}: entry {i} of the dictionary should be a {'word' if i < model.n_words else 'label'} "
                f"with its count; it is of kind {kind} with a count of {count}.",
                byte=place,
            )
        yield _Entry(content[place:end], place, count, end + 10)
        place = end + 10


def _matrix(content: mmap.mmap, model: _Model, place: int, source: Source) -> Matrix:
    """The rows of words and n-grams; the other matrix must be there, too, so that nothing was cut."""
    if model.has_magic:
        place = _not_quantised(content, place)
    n_rows, dim = _unpacked(content, "<2q", place)
    matrix = Matrix(source.path, place + 16, "F32", n_rows, dim)
    if dim != model.dim or n_rows != model.n_words + model.n_buckets:
        raise VectorsUnreadable(
            f"Byte {place}: the matrix is {n_rows} x {dim}; the header says {model.n_words} words and "
            f"{model.n_buckets} buckets of {model.dim} numbers.",
            byte=place,
        )
    after = matrix.start + matrix.n_bytes
    if model.has_magic:
        after = _not_quantised(content, after)
    n_others, other_dim = _unpacked(content, "<2q", after)
    if after + 16 + 4 * n_others * other_dim != len(content):
        raise VectorsUnreadable(
            f"Byte {after}: the second matrix is {n_others} x {other_dim}; {len(content) - after - 16} bytes follow. "
            "The file was cut, or something follows it.",
            byte=after,
        )
    return matrix


def _not_quantised(content: mmap.mmap, place: int) -> int:
    """The next place, behind the mark of quantised matrices."""
    (is_quantised,) = _unpacked(content, "<B", place)
    if is_quantised:
        raise VectorsUnreadable(f"Byte {place}: a quantised model (.ftz) is not read. {_ADVICE}.", byte=place)
    return place + 1


def _ngrams_of(words: list[bytes], model: _Model) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Where the n-grams of each word begin and end among all, and the bucket of each."""
    if not model.n_ngrams:
        return np.zeros(len(words) + 1, np.int64), np.empty(0, np.int32)
    without = LINE_END if model.has_magic else None
    spelled = [b"" if word == without else b"<" + word + b">" for word in words]
    return listed_ngrams(*joined(spelled), model.n_buckets, (*model.sizes, 0))


def _unpacked(content: mmap.mmap, layout: str, place: int) -> tuple[Any, ...]:
    size = struct.calcsize(layout)
    if place + size > len(content):
        raise VectorsUnreadable(f"The file ends at byte {len(content)}, before it is complete.", byte=len(content))
    return struct.unpack(layout, content[place : place + size])
