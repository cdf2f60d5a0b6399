"""The co-occurrence table equals a brute-force count, whatever the threads, chunks and batches."""

from __future__ import annotations

import errno
import lzma
import math
import shutil
import tempfile
from collections import namedtuple
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import CorpusTooLarge, StorageFull
from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.vocabulary import Vocabulary
from tests.conftest import DATA
from tests.oracles.glove import cooccurrences
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove import cells as cooccurrence_files
from trainer.algorithms.glove import cooccurrence
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable, count, expected_cells
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.progress import Report, ignore

Lines = list[list[int]]


def corpus_of(lines: Lines, n_words: int) -> EncodedCorpus:
    ids = np.array([i for line in lines for i in [*line, -1]], np.int32)
    counts = np.bincount(ids[ids >= 0], minlength=n_words)
    vocabulary = Vocabulary.from_words([f"w{i}" for i in range(n_words)], counts)
    return EncodedCorpus(ids, vocabulary, int(counts.sum()), int(counts.sum()), len(lines))


def work(corpus: EncodedCorpus, folder: Path, report: Report = ignore) -> Work:
    return Work(corpus, folder, 2, report, None)


def counted(lines: Lines, n_words: int, **chosen: Any) -> CooccurrenceTable:
    hyperparameters = GloVeHyperparameters.model_validate(chosen)
    with tempfile.TemporaryDirectory() as folder:
        table = count(work(corpus_of(lines, n_words), Path(folder)), hyperparameters)
        in_memory = (np.array(table.columns), np.array(table.counts))
        return replace(table, columns=in_memory[0], counts=in_memory[1])


def cells(table: CooccurrenceTable) -> dict[tuple[int, int], Fraction]:
    rows = np.repeat(np.arange(table.n_words), np.diff(table.row_starts)).tolist()
    counts = (Fraction(value, table.unit) for value in table.counts.tolist())
    return dict(zip(zip(rows, table.columns.tolist(), strict=True), counts, strict=True))


def expected(lines: Lines, window: int, symmetric: bool) -> dict[tuple[int, int], Fraction]:
    full = cooccurrences(lines, window, symmetric)
    return {cell: value for cell, value in full.items() if cell[0] <= cell[1] or not symmetric}


N_WORDS = 7
corpora = st.lists(st.lists(st.integers(0, N_WORDS - 1), max_size=12), max_size=6)


@settings(max_examples=150)
@given(corpora, st.integers(1, 20), st.booleans(), st.integers(1, 3), st.integers(1, 40), st.integers(1, 30))
def test_equals_a_brute_force_count(
    lines: Lines, window: int, symmetric: bool, threads: int, chunk: int, batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooccurrence, "plan", lambda *_: (threads, chunk))
        patch.setattr(cooccurrence, "BATCH_CELLS", batch)
        table = counted(lines, N_WORDS, window=window, symmetric=symmetric)
    assert cells(table) == expected(lines, window, symmetric)
    for row in range(N_WORDS):
        columns = table.columns[table.row_starts[row] : table.row_starts[row + 1]]
        assert (np.diff(columns) > 0).all()


def test_columns_far_apart_are_found() -> None:
    """Ids around the borders of the 64-bit marks and their groups."""
    far = [0, 1, 63, 64, 4095, 4096, 8191, 9999]
    lines = [[a, b] for a in far for b in far]
    assert cells(counted(lines, 10_000, window=3)) == expected(lines, 3, True)


def test_any_memory_limit_and_threads_give_the_same_bytes() -> None:
    lines = natural_lines(60_000)
    n_words = 1 + max(map(max, lines))
    tables = [counted(lines, n_words, threads=threads) for threads in (1, 2, 4)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooccurrence, "plan", lambda *_: (2, 7001))
        tables.append(counted(lines, n_words))
    first = tables[0]
    for table in tables[1:]:
        assert np.array_equal(table.row_starts, first.row_starts)
        assert np.array_equal(table.columns, first.columns)
        assert np.array_equal(table.counts, first.counts)


def natural_lines(n_tokens: int) -> Lines:
    with lzma.open(DATA / "corpora" / "fairy-tales.txt.xz", "rt") as file:
        text = [line.split() for line in file.read(n_tokens * 6).split("\n") if line.split()]
    by_count: dict[str, int] = {}
    for line in text:
        for word in line:
            by_count[word] = by_count.get(word, 0) + 1
    ids = {word: i for i, word in enumerate(sorted(by_count, key=lambda word: (-by_count[word], word)))}
    return [[ids[word] for word in line] for line in text]


def test_the_estimate_of_cells_is_above_the_truth_but_not_far() -> None:
    lines = natural_lines(60_000)
    n_words = 1 + max(map(max, lines))
    counts = corpus_of(lines, n_words).vocabulary.counts
    for symmetric in (True, False):
        truth = counted(lines, n_words, symmetric=symmetric).n_cells
        assert truth <= expected_cells(counts, 10, symmetric) <= 2 * truth


def test_windows_end_with_the_line() -> None:
    assert cells(counted([[0, 1], [1, 0, 2]], 3, window=10)) == {
        (0, 1): Fraction(2),
        (0, 2): Fraction(1),
        (1, 2): Fraction(1, 2),
    }


def test_a_word_next_to_itself_counts_from_both_sides() -> None:
    """As in the C program, whose symmetric count adds to (i, i) twice."""
    assert cells(counted([[0, 0]], 1)) == {(0, 0): Fraction(2)}
    assert cells(counted([[0, 0]], 1, symmetric=False)) == {(0, 0): Fraction(1)}


def test_one_sided_rows_are_the_left_words() -> None:
    assert cells(counted([[1, 0, 2]], 3, symmetric=False, window=2)) == {
        (1, 0): Fraction(1),
        (1, 2): Fraction(1, 2),
        (0, 2): Fraction(1),
    }


@pytest.mark.parametrize("lines", [[], [[0]], [[0], [1], [2]]])
def test_no_pairs_make_an_empty_table(lines: Lines) -> None:
    table = counted(lines, 3)
    assert table.n_cells == 0
    assert table.row_starts.tolist() == [0, 0, 0, 0]


def test_rare_cells_are_left_out_only_after_all_chunks_are_summed() -> None:
    lines = [[0, 1], [0, 2], [0, 1]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooccurrence, "plan", lambda *_: (1, 3))
        table = counted(lines, 3, min_cooccurrence=2)
    assert cells(table) == {(0, 1): Fraction(2)}
    assert cells(counted(lines, 3, min_cooccurrence=1.0001)) == {(0, 1): Fraction(2)}
    assert cells(counted(lines, 3, min_cooccurrence=1)) == {(0, 1): Fraction(2), (0, 2): Fraction(1)}


def test_the_unit_makes_all_weights_whole() -> None:
    for window in range(1, 21):
        weights = cooccurrence.integer_weights(window)
        unit = math.lcm(*range(1, window + 1))
        assert [Fraction(int(w), unit) for w in weights[1:]] == [Fraction(1, d) for d in range(1, window + 1)]


def test_counts_that_could_overflow_are_refused(tmp_path: Path) -> None:
    corpus = corpus_of([[0, 1]], 2)
    huge = EncodedCorpus(corpus.ids, corpus.vocabulary, 2 * 10**10, 2 * 10**10, 1)
    with pytest.raises(CorpusTooLarge, match="window 20"):
        count(work(huge, tmp_path), GloVeHyperparameters(window=20))


def test_a_disk_too_small_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 90, 10))
    with pytest.raises(StorageFull, match="10 are free") as caught:
        count(work(corpus_of([[0, 1, 2]], 3), tmp_path), GloVeHyperparameters())
    assert caught.value.members["free_bytes"] == 10
    assert caught.value.members["needed_bytes"] >= 3 * 12
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def append(self: object, cells: object, n_cells: int) -> None:
        written.append(n_cells)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cooccurrence_files.CellFile, "append", append)
    with pytest.raises(StorageFull, match="filled up"):
        count(work(corpus_of([[0, 1, 2]], 3), tmp_path), GloVeHyperparameters())
    assert written == [3]
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one() -> None:
    fractions: list[float] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooccurrence, "plan", lambda *_: (2, 5))
        patch.setattr(cooccurrence, "BATCH_CELLS", 4)
        patch.setattr("trainer.steps.crew.TICK_SECONDS", 0.0)
        corpus = corpus_of([[0, 1, 2, 1, 0], [2, 2, 1]], 3)
        count(work(corpus, Path(folder), lambda progress: fractions.append(progress.fraction)), GloVeHyperparameters())
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert len(set(fractions)) > 3


@given(corpora, st.integers(1, 100), st.booleans())
@settings(max_examples=30)
def test_equal_weights_count_every_pair_of_a_window_once(lines: Lines, window: int, symmetric: bool) -> None:
    table = counted(lines, N_WORDS, window=window, symmetric=symmetric, distance_weighting="equal")
    full = cooccurrences(lines, window, symmetric, equal=True)
    assert cells(table) == {cell: value for cell, value in full.items() if cell[0] <= cell[1] or not symmetric}
    assert (table.unit, table.counted) == (1, (window, symmetric, "equal"))


def test_a_window_that_is_no_exact_sum_is_refused_with_what_to_say() -> None:
    with pytest.raises(ValueError, match="window 21 needs distance_weighting 'equal'"):
        GloVeHyperparameters(window=21)
    assert GloVeHyperparameters(window=100, distance_weighting="equal").counted == (100, True, "equal")
