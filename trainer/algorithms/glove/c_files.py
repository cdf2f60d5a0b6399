"""The C program's files: `vocab.txt` and co-occurrence records, to compare tables and to move from one to the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged
from app.core.hyperparameters.glove import DistanceWeighting
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable, integer_weights

RECORD = np.dtype([("row", "<i4"), ("column", "<i4"), ("count", "<f8")])
"""16 bytes: two frequency ranks from 1 on and a weighted count. Symmetric files hold both (i, j) and (j, i)."""
BATCH_RECORDS = 1 << 22
TOLERANCE = 1e-6
"""How far, in units of the smallest weight, the C program's sum of floats may be from an integer, for each of them."""

Records = npt.NDArray[np.void]


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """One `word count` a line, by id."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for word, count in zip(vocabulary.words(), vocabulary.counts.tolist(), strict=True):
            file.write(f"{word} {count}\n")


def read_vocabulary(path: Path) -> Vocabulary:
    """The words in the file's order, which becomes their ids; raises TableDamaged."""
    words, counts = [], []
    try:
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                word, count = line.rsplit(" ", 1)
                words.append(word)
                counts.append(int(count))
    except ValueError as error:  # bad UTF-8 is one, too
        raise TableDamaged(f"{path.name} does not hold one word and its count a line.") from error
    if len(set(words)) != len(words) or any(a < b for a, b in itertools.pairwise(counts)):
        raise TableDamaged(f"{path.name} repeats words or is not sorted by count.")
    return Vocabulary.from_words(words, counts)


def write_vectors(vocabulary: Vocabulary, vectors: npt.NDArray[np.float32], path: Path) -> None:
    """One `word number number ...` a line, by id; each number with as many digits as give the same float32 back."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for word, row in zip(vocabulary.words(), vectors, strict=True):
            file.write(f"{word} {' '.join(row.astype(str))}\n")


def write_records(table: CooccurrenceTable, path: Path) -> None:
    """Write what the C program's `cooccur` writes: by row, then column, mirror images included."""
    with path.open("wb") as file:
        for records in _batches(table):
            file.write(records.tobytes())


def _batches(table: CooccurrenceTable) -> Iterator[Records]:
    sizes = np.diff(table.row_starts)
    if table.symmetric:
        sizes = sizes + np.bincount(table.columns, minlength=table.n_words)
    before = np.concatenate([[0], np.cumsum(sizes)])
    first = 0
    while first < table.n_words:
        last = max(int(np.searchsorted(before, before[first] + BATCH_RECORDS, side="right")) - 1, first + 1)
        yield _rows(table, first, last)
        first = last


def _rows(table: CooccurrenceTable, first: int, last: int) -> Records:
    """The records of some rows; the part left of the diagonal is found among the columns of the rows before."""
    begin, end = table.row_starts[first], table.row_starts[last]
    places = np.arange(begin, end)
    parts = [_records(table, places, np.searchsorted(table.row_starts, places, side="right") - 1)]
    if table.symmetric:
        columns = table.columns[:end]
        places = np.flatnonzero((columns >= first) & (columns < last))
        rows = np.searchsorted(table.row_starts, places, side="right") - 1
        is_mirrored = columns[places] != rows
        mirrored = _records(table, places[is_mirrored], rows[is_mirrored])
        mirrored["row"], mirrored["column"] = mirrored["column"].copy(), mirrored["row"].copy()
        parts.append(mirrored)
    records = np.concatenate(parts)
    return records[np.lexsort((records["column"], records["row"]))]


def _records(table: CooccurrenceTable, places: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Records:
    records = np.empty(len(places), RECORD)
    records["row"], records["column"] = rows + 1, table.columns[places] + 1
    records["count"] = table.counts[places] / table.unit
    return records


def read_records(
    path: Path, n_words: int, window: int, *, symmetric: bool = True, weighting: DistanceWeighting = "harmonic"
) -> CooccurrenceTable:
    """Read records in any order, as `cooccur` or `shuffle` wrote them for this window; takes some 60 bytes a record.

    Parameters
    ----------
    path : of the file
    n_words : of the vocabulary
    window : words on one side, as they were counted
    symmetric : whether both sides were counted
    weighting : "equal" for records that were counted with -distance-weighting 0

    Raises
    ------
    TableDamaged
        the file is cut, names a word that is not there, holds counts that are no sums of 1/distance within the window,
        or lacks mirror images
    """
    if path.stat().st_size % RECORD.itemsize:
        raise TableDamaged(f"{path.name} is no whole number of {RECORD.itemsize}-byte records.")
    records = np.fromfile(path, RECORD)
    unit = int(integer_weights(window, weighting)[1])
    rows, columns = records["row"].astype(np.int64) - 1, records["column"].astype(np.int64) - 1
    if len(records) and (min(rows.min(), columns.min()) < 0 or max(rows.max(), columns.max()) >= n_words):
        raise TableDamaged(f"{path.name} names words beyond the vocabulary's {n_words}.")
    scaled = records["count"] * unit
    counts = np.rint(scaled)
    if not (np.abs(scaled - counts) <= TOLERANCE * np.maximum(counts, 1)).all() or (counts < 1).any():
        what = "sums of 1/distance" if weighting == "harmonic" else "whole numbers"
        raise TableDamaged(f"{path.name} holds counts that are no {what} within a window of {window}.")
    if symmetric:
        _check_mirrored(path, rows, columns, counts)
        kept = rows <= columns
        rows, columns, counts = rows[kept], columns[kept], counts[kept]
    keys, cells = np.unique(rows * n_words + columns, return_inverse=True)
    sums = np.zeros(len(keys), np.uint64)
    np.add.at(sums, cells, counts.astype(np.uint64))
    row_starts = np.searchsorted(keys, np.arange(n_words + 1) * n_words)
    return CooccurrenceTable(row_starts, (keys % n_words).astype(np.int32), sums, window, symmetric, weighting)


def _check_mirrored(
    path: Path, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], counts: npt.NDArray[np.float64]
) -> None:
    upper, lower = rows < columns, rows > columns
    one = np.lexsort((columns[upper], rows[upper]))
    other = np.lexsort((rows[lower], columns[lower]))
    is_mirrored = len(one) == len(other) and all(
        np.array_equal(a[upper][one], b[lower][other]) for a, b in ((rows, columns), (columns, rows), (counts, counts))
    )
    if not is_mirrored:
        raise TableDamaged(f"{path.name} lacks mirror images; was it counted on one side only?")
