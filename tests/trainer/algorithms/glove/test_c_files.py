"""The C program's files hold the same table, and damaged ones are refused."""

from __future__ import annotations

import os
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import TableDamaged
from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove import c_files as glove_files
from trainer.algorithms.glove import training as glove
from trainer.algorithms.glove.c_files import read_records, read_vocabulary, write_records, write_vocabulary
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable, count
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.progress import ignore

TEXT = [["b", "a", "a", "c"], ["a", "b"], ["c"], ["가", "a", "나", "가"]]


def corpus() -> EncodedCorpus:
    tokens = [word for line in TEXT for word in line]
    words = sorted(set(tokens), key=lambda word: (-tokens.count(word), word.encode()))
    ids = np.array([i for line in TEXT for i in [*map(words.index, line), -1]], np.int32)
    vocabulary = Vocabulary.from_words(words, [tokens.count(word) for word in words])
    return EncodedCorpus(ids, vocabulary, len(tokens), len(tokens), len(TEXT))


def table(folder: Path, *, symmetric: bool = True, window: int = 3) -> CooccurrenceTable:
    folder.mkdir()
    return count(work(corpus(), folder), GloVeHyperparameters(window=window, symmetric=symmetric))


def work(corpus: EncodedCorpus, folder: Path) -> Work:
    return Work(corpus, folder, 1, ignore, None)


def same(one: CooccurrenceTable, other: CooccurrenceTable) -> bool:
    return (
        np.array_equal(one.row_starts, other.row_starts)
        and np.array_equal(one.columns, other.columns)
        and np.array_equal(one.counts, other.counts)
    )


def test_records_are_ranks_from_one_and_doubles_with_mirror_images(tmp_path: Path) -> None:
    row_starts, columns = np.array([0, 2, 2]), np.array([0, 1], np.int32)
    write_records(CooccurrenceTable(row_starts, columns, np.array([4, 3], np.uint64), 2, True), tmp_path / "r")
    expected = struct.pack("<iid", 1, 1, 2.0) + struct.pack("<iid", 1, 2, 1.5) + struct.pack("<iid", 2, 1, 1.5)
    assert (tmp_path / "r").read_bytes() == expected


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("batch", [1, 5, 1 << 22])
def test_a_table_comes_back_from_records_in_any_order(
    tmp_path: Path, symmetric: bool, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glove_files, "BATCH_RECORDS", batch)
    original = table(tmp_path / "t", symmetric=symmetric)
    write_records(original, tmp_path / "r")
    records = np.fromfile(tmp_path / "r", glove_files.RECORD)
    assert np.array_equal(records, np.sort(records, order=["row", "column"]))
    np.random.default_rng(1).permutation(records).tofile(tmp_path / "r")
    assert same(read_records(tmp_path / "r", original.n_words, 3, symmetric=symmetric), original)


def test_sums_of_floats_become_integers_again(tmp_path: Path) -> None:
    """1/3 added three thousand times in doubles is not 1000."""
    total = sum(1 / 3 for _ in range(3000))
    assert total != 1000
    (tmp_path / "r").write_bytes(struct.pack("<iid", 1, 1, total))
    assert read_records(tmp_path / "r", 1, 3).counts.tolist() == [6000]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0" * 15, "whole number"),
        (struct.pack("<iid", 0, 1, 1.0), "beyond"),
        (struct.pack("<iid", 1, 3, 1.0), "beyond"),
        (struct.pack("<iid", 1, 1, 0.4), "no sums"),
        (struct.pack("<iid", 1, 1, float("nan")), "no sums"),
        (struct.pack("<iid", 1, 1, -1.0), "no sums"),
        (struct.pack("<iid", 1, 2, 1.0), "mirror"),
        (struct.pack("<iid", 1, 2, 1.0) + struct.pack("<iid", 2, 1, 2.0), "mirror"),
    ],
)
def test_damaged_records_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(TableDamaged, match=message):
        read_records(tmp_path / "r", 2, 3)


def test_an_empty_file_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"")
    assert read_records(tmp_path / "r", 2, 3).row_starts.tolist() == [0, 0, 0]


def test_a_vocabulary_comes_back(tmp_path: Path) -> None:
    vocabulary = corpus().vocabulary
    write_vocabulary(vocabulary, tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").splitlines()[:2] == ["a 4", "b 2"]
    read = read_vocabulary(tmp_path / "vocab.txt")
    assert read.words() == vocabulary.words()
    assert read.counts.tolist() == vocabulary.counts.tolist()


@pytest.mark.parametrize("content", [b"a\n", b"a b\n", b"a 1\na 1\n", b"a 1\nb 2\n", b"\xff 1\n"])
def test_a_damaged_vocabulary_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(TableDamaged):
        read_vocabulary(tmp_path / "vocab.txt")


def test_training_on_records_equals_training_on_the_corpus(tmp_path: Path) -> None:
    chosen = GloVeHyperparameters(window=3, dim=16, epochs=3, threads=1)
    write_records(table(tmp_path / "t"), tmp_path / "r")
    (tmp_path / "one").mkdir()
    expected = glove.train(work(corpus(), tmp_path / "one"), chosen)
    words_only = replace(corpus(), ids=np.zeros(0, np.int32))
    read = read_records(tmp_path / "r", len(words_only.vocabulary), 3)
    found = glove.train(work(words_only, tmp_path), chosen, read)
    assert np.array_equal(found.arrays["vectors"], expected.arrays["vectors"])
    assert found.facts["costs"] == expected.facts["costs"]


@pytest.mark.parametrize("change", [{"window": 4}, {"symmetric": False}, {"distance_weighting": "equal"}])
def test_a_table_counted_otherwise_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    chosen = GloVeHyperparameters.model_validate({"window": 3} | change)
    with pytest.raises(ValueError, match="counted with"):
        glove.train(work(corpus(), tmp_path), chosen, table(tmp_path / "t"))


def test_records_of_equal_weights_come_back(tmp_path: Path) -> None:
    chosen = GloVeHyperparameters(window=30, distance_weighting="equal")
    written = count(work(corpus(), tmp_path), chosen)
    write_records(written, tmp_path / "r")
    read = read_records(tmp_path / "r", len(corpus().vocabulary), 30, weighting="equal")
    assert same(read, written)
    assert read.counted == (30, True, "equal")
    write_records(table(tmp_path / "h"), tmp_path / "harmonic")
    with pytest.raises(TableDamaged, match="no whole numbers within a window of 3"):
        read_records(tmp_path / "harmonic", len(corpus().vocabulary), 3, weighting="equal")


@pytest.mark.skipif("WORDKIN_GLOVE_DIR" not in os.environ, reason="WORDKIN_GLOVE_DIR names no built GloVe program")
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_c_program_counts_the_same_table_cell_by_cell(tmp_path: Path, symmetric: bool) -> None:
    programs = Path(os.environ["WORDKIN_GLOVE_DIR"])
    text = "".join(" ".join(line) + "\n" for line in TEXT).encode()
    write_vocabulary(corpus().vocabulary, tmp_path / "vocab.txt")
    # Both of its stores must be in use: merging an empty file, it counts its first record twice.
    options = ["-verbose", "0", "-vocab-file", "vocab.txt", "-window-size", "3", "-max-product", "4"]
    counted = subprocess.run(
        [programs / "cooccur", *options, "-symmetric", str(int(symmetric))],
        input=text,
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    (tmp_path / "r").write_bytes(counted.stdout)
    ours = table(tmp_path / "t", symmetric=symmetric)
    assert same(read_records(tmp_path / "r", ours.n_words, 3, symmetric=symmetric), ours)
    write_records(ours, tmp_path / "ours")
    assert (tmp_path / "ours").stat().st_size == len(counted.stdout)
