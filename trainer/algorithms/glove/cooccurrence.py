"""The co-occurrence table of an encoded corpus: exact, the same for any threads and chunks, in bounded memory.

A pair at distance d counts 1/d, kept as the integer unit/d with unit = lcm(1..window), or 1, so that a cell is a sum
of integers: no order of adding, and no retry, can change a bit of it. The corpus is taken in chunks whose places fit
the memory limit; each makes one run of rows on disk, and runs are merged row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from app.core.errors import CorpusTooLarge
from app.core.hyperparameters import GloVeHyperparameters
from app.core.hyperparameters.glove import DistanceWeighting
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove.cells import CELL_BYTES, CellFile
from trainer.kernels.glove.cooccurrence import (
    Accumulator,
    Cells,
    Postings,
    cooccurrence_rows,
    count_words,
    new_accumulator,
    sum_runs,
    write_positions,
)
from trainer.steps.arrays import Ids, Integers
from trainer.steps.crew import Crew
from trainer.steps.disk import check_space, fresh_folder
from trainer.steps.progress import Progress

BATCH_CELLS = 1_000_000
"""Cells that one task may make, at most, unless a single row has more: 12 MB a task."""
BATCH_PAIRS = 4_000_000
"""Pairs that one task may add up, likewise: the rows of the most frequent words have few cells for their work."""
POSITION_BYTES = 8
"""Memory a corpus position takes while its chunk is counted: its id's page and its place."""
SMALLEST_CHUNK = 1 << 20

Fill = Callable[[int, int, Accumulator, Cells], int]


@dataclass(frozen=True, eq=False)
class CooccurrenceTable:
    """How often words occur near each other.

    Parameters
    ----------
    row_starts : int64 (n_words + 1,), row ``i`` has the cells ``row_starts[i]`` to ``row_starts[i + 1]``
    columns : int32 (n_cells,), ascending within a row; usually memory-mapped, like `counts`
    counts : uint64 (n_cells,), the weighted counts times `unit`
    window : words on one side
    symmetric : both sides are counted and only the cells ``column >= row`` are kept, each standing for its mirror
        image too; otherwise the column is the word to the right
    weighting : what a pair counts by its distance
    """

    row_starts: Integers
    columns: Ids
    counts: npt.NDArray[np.uint64]
    window: int
    symmetric: bool
    weighting: DistanceWeighting = "harmonic"

    @property
    def unit(self) -> int:
        """The integer that stands for a count of 1."""
        return int(integer_weights(self.window, self.weighting)[1])

    @property
    def counted(self) -> tuple[int, bool, DistanceWeighting]:
        """How it was counted: window, sides and weighting."""
        return self.window, self.symmetric, self.weighting

    @property
    def n_words(self) -> int:
        return len(self.row_starts) - 1

    @property
    def n_cells(self) -> int:
        return len(self.columns)


def integer_weights(window: int, weighting: DistanceWeighting = "harmonic") -> npt.NDArray[np.uint64]:
    """Weights by distance, `harmonic` ones times lcm(1..window); entry 0 is 0."""
    if weighting == "equal":
        return np.array([0] + [1] * window, np.uint64)
    unit = math.lcm(*range(1, window + 1))
    return np.array([0] + [unit // distance for distance in range(1, window + 1)], np.uint64)


def expected_cells(word_counts: Integers, window: int, symmetric: bool) -> int:
    """How many cells a table will have, were words drawn independently; real text repeats itself and has fewer.

    Sums ``1 - exp(-expected pairs)`` over all pairs of words, words of a similar count taken together.
    """
    counts = word_counts[word_counts > 0].astype(np.float64)
    if not len(counts):
        return 0
    sides = 2 if symmetric else 1
    bins = np.floor(np.log(counts) * 8).astype(np.int64)
    sizes = np.bincount(bins)
    means = np.bincount(bins, counts)[sizes > 0] / sizes[sizes > 0]
    sizes = sizes[sizes > 0]
    pairs = sides * window * np.outer(means, means) / counts.sum()
    cells = float((np.outer(sizes, sizes) * -np.expm1(-pairs)).sum()) / sides
    return int(min(cells, window * counts.sum())) + 1


def count(work: Work, chosen: GloVeHyperparameters) -> CooccurrenceTable:
    """Count the corpus's co-occurrences; the table's arrays are mapped from files in the scratch folder.

    Words that the vocabulary lacks are not in `corpus.ids`, so windows reach over them, as in the C program; windows
    end at line ends.

    Parameters
    ----------
    work : Work
    chosen : GloVeHyperparameters; window, distance_weighting, symmetric, min_cooccurrence and memory_limit_bytes decide

    Raises
    ------
    StorageFull
        the disk has less space than the table is expected to take, or filled up meanwhile; no file is left behind
    CorpusTooLarge
        a cell could exceed 64 bits: about 10**10 tokens at window 20, 10**15 at window 10
    """
    corpus, weights = work.corpus, integer_weights(chosen.window, chosen.distance_weighting)
    if 2 * sum(weights.tolist()) * max(corpus.n_tokens, 1) >= 2**64:
        raise CorpusTooLarge(
            f"{corpus.n_tokens} tokens could overflow exact counts at window {chosen.window}; lower it.",
            n_tokens=corpus.n_tokens,
            window=chosen.window,
        )
    home = work.scratch / "cooccurrence"
    with fresh_folder(home):
        return _Counting(work, chosen, home).run()


class _Counting:
    def __init__(self, work: Work, chosen: GloVeHyperparameters, folder: Path) -> None:
        self.ids, self.n_words = work.corpus.ids, len(work.corpus.vocabulary)
        self.window, self.symmetric, self.weighting = chosen.counted
        self.weights = integer_weights(self.window, self.weighting)
        self.least = np.uint64(max(1, math.ceil(chosen.min_cooccurrence * int(self.weights[1]))))
        self.folder, self.report, self.progress = folder, work.report, 0.0
        self.threads, self.chunk = plan(self.n_words, chosen.threads or work.threads, chosen.memory_limit_bytes)
        self.n_chunks = max(1, -(-len(self.ids) // self.chunk))
        self.accumulators: SimpleQueue[Accumulator] = SimpleQueue()
        for _ in range(self.threads):
            self.accumulators.put(new_accumulator(self.n_words))

    def run(self) -> CooccurrenceTable:
        self._check_space()
        if self.n_chunks == 1:
            with CellFile(self.folder, "table") as file:
                row_starts = self._count_chunk(0, self.least, 1.0, file)
            return CooccurrenceTable(row_starts, *file.map(), self.window, self.symmetric, self.weighting)
        with CellFile(self.folder, "runs") as runs:
            share = 0.7 / self.n_chunks
            starts = [self._count_chunk(number, np.uint64(1), share, runs) for number in range(self.n_chunks)]
        with CellFile(self.folder, "table") as file:
            row_starts = self._merge(np.array(starts), Cells(starts[0], *runs.map()), file)
        runs.remove()
        return CooccurrenceTable(row_starts, *file.map(), self.window, self.symmetric, self.weighting)

    def _check_space(self) -> None:
        counts = np.zeros(self.n_words, np.int64)
        count_words(self.ids, counts)
        cells = expected_cells(counts, self.window, self.symmetric)
        if self.n_chunks > 1:
            cells += self.n_chunks * expected_cells(-(-counts // self.n_chunks), self.window, self.symmetric)
        check_space(self.folder, cells * CELL_BYTES, "The co-occurrence table")

    def _count_chunk(self, number: int, least: np.uint64, share: float, file: CellFile) -> Integers:
        """Count the places of one chunk into `file`; where its rows begin there."""
        origin = number * self.chunk
        ids = self.ids[origin : origin + self.chunk]
        counts = np.zeros(self.n_words, np.int64)
        count_words(ids, counts)
        starts = np.zeros(self.n_words + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        positions = np.empty(starts[-1], np.int32)
        write_positions(ids, starts[:-1].copy(), positions)
        postings = Postings(positions, starts, origin)

        def fill(first: int, last: int, accumulator: Accumulator, cells: Cells) -> int:
            rows = (first, last)
            n_cells = cooccurrence_rows(
                self.ids, postings, rows, self.weights, self.symmetric, least, accumulator, cells
            )
            return int(n_cells)

        bounds = counts * (2 * self.window if self.symmetric else self.window)
        return self._fill_rows(fill, bounds, share, file)

    def _merge(self, run_starts: Integers, runs: Cells, file: CellFile) -> Integers:
        def fill(first: int, last: int, accumulator: Accumulator, cells: Cells) -> int:
            return int(sum_runs(run_starts, runs, (first, last), self.least, accumulator, cells))

        return self._fill_rows(fill, np.diff(run_starts, axis=1).sum(axis=0), 0.3, file)

    def _fill_rows(self, fill: Fill, bounds: Integers, share: float, file: CellFile) -> Integers:
        """Append all rows to `file`, batch by batch on threads; where they begin there.

        `bounds` limits each row's cells and stands for its work; all of it is `share` of the counting.
        """
        widest = self.n_words - np.arange(self.n_words) if self.symmetric else self.n_words
        work_before = np.concatenate([[0], np.cumsum(bounds)])
        cells_before = np.concatenate([[0], np.cumsum(np.minimum(bounds, widest))])
        row_starts = np.zeros(self.n_words + 1, np.int64)
        begin, progress_before = file.n_cells, self.progress

        def task(rows: tuple[int, int]) -> tuple[tuple[int, int], Cells, int]:
            first, last = rows
            bound = int(cells_before[last] - cells_before[first])
            cells = Cells(np.empty(last - first + 1, np.int64), np.empty(bound, np.int32), np.empty(bound, np.uint64))
            accumulator = self.accumulators.get()
            try:
                return rows, cells, fill(first, last, accumulator, cells)
            finally:
                self.accumulators.put(accumulator)

        row_starts[0] = begin
        with Crew(self.threads, lambda: self.report(Progress(self.progress))) as crew:
            for (first, last), cells, n_cells in crew.in_order(task, _batches(cells_before, work_before)):
                row_starts[first + 1 : last + 1] = file.n_cells + cells.row_starts[1:]
                file.append(cells, n_cells)
                self.progress = progress_before + share * float(work_before[last]) / max(float(work_before[-1]), 1.0)
        self.report(Progress(self.progress))
        return row_starts


def plan(n_words: int, threads: int, limit: int) -> tuple[int, int]:
    """Threads, of at most so many, and positions of a chunk, that fit a memory limit in bytes."""
    batch_bytes = max(BATCH_CELLS, n_words) * CELL_BYTES
    shared_bytes = 2 * batch_bytes + 64 * n_words
    thread_bytes = batch_bytes + 9 * n_words
    threads = max(1, min(threads, (limit // 2 - shared_bytes) // thread_bytes))
    chunk = (limit - shared_bytes - threads * thread_bytes) // POSITION_BYTES
    return threads, min(max(chunk, SMALLEST_CHUNK), 2**31 - 1)


def _batches(cells_before: Integers, work_before: Integers) -> Iterator[tuple[int, int]]:
    """Rows in runs of at most `BATCH_CELLS` cells and `BATCH_PAIRS` pairs, or of one row."""
    first, n_words = 0, len(cells_before) - 1
    while first < n_words:
        by_cells = np.searchsorted(cells_before, cells_before[first] + BATCH_CELLS, side="right")
        by_work = np.searchsorted(work_before, work_before[first] + BATCH_PAIRS, side="right")
        last = max(int(min(by_cells, by_work)) - 1, first + 1)
        yield first, last
        first = last
