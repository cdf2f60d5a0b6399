"""The evaluator against published vectors and against cases small enough to count."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality import analogies, quality, similarity
from benchmarks.setup import EVALUATION
from tests.conftest import DATA
from tests.oracles import search as oracle


def test_analogies_exclude_their_words_and_count_coverage(tmp_path: Path) -> None:
    """king - man + woman is nearest to king itself, so that leaving it out decides."""
    words = ["man", "woman", "king", "queen", "apple"]
    vectors = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 5], [1, 1, 5], [-5, 0, 1]], np.float32)
    path = tmp_path / "questions.txt"
    path.write_text(": royal\nMan King Woman Queen\nman king woman apple\nman king woman emperor\n")
    score = analogies(words, vectors, path)
    assert (score.value, score.covered, score.total) == (0.5, 2, 3)
    assert analogies(words, vectors, path, top=4).covered == 1


def test_similarity_is_a_rank_correlation(tmp_path: Path) -> None:
    words = ["a", "b", "c", "d"]
    vectors = np.array([[1, 0], [1, 0.1], [1, 1], [0, 1]], np.float32)
    path = tmp_path / "pairs.txt"
    path.write_text("A\tb\t9\na\tc\t5\na\td\t1\na\tmissing\t3\n")
    score = similarity(words, vectors, path)
    assert score.value == pytest.approx(1.0)
    assert (score.covered, score.total) == (3, 4)
    path.write_text("a\tb\t1\na\tc\t5\na\td\t9\n")
    assert similarity(words, vectors, path).value == pytest.approx(-1.0)


def glove_sample() -> tuple[list[str], NDArray[np.float32]]:
    with lzma.open(DATA / "vectors" / "glove.6B.50d.sample.txt.xz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip().split(" ") for line in file]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)


def test_published_vectors_answer_as_a_slow_evaluator_says(tmp_path: Path) -> None:
    """Real GloVe rows on the demo's analogies: each question by plain sums over all words."""
    words, vectors = glove_sample()
    asked = [line.lower().split() for line in (EVALUATION / "questions-words.txt").read_text().splitlines()]
    known = [line for line in asked if len(line) == 4 and all(word in words for word in line)]
    rows = {word: row.tolist() for word, row in zip(words, vectors, strict=True)}
    right = 0
    for a, b, c, answer in known:
        units = [oracle.unit(rows[word]) for word in (a, b, c)]
        direction = oracle.weighted_sum(units, [-1.0, 1.0, 1.0])
        (best, _), *_ = oracle.nearest(list(rows.values()), direction, {words.index(w) for w in (a, b, c)}, 1)
        right += words[best] == answer
    score = quality(words, vectors, EVALUATION)["analogy"]
    assert score.value == pytest.approx(right / len(known))
    assert score.covered == len(known)
    assert score.covered > 70
    assert score.value > 0.7


def test_tests_without_a_file_are_left_out(tmp_path: Path) -> None:
    words, vectors = glove_sample()
    assert quality(words, vectors, tmp_path) == {}
    (tmp_path / "EN-WS-353-ALL.txt").write_text("king\tqueen\t9\nking\tman\t5\nking\tthe\t1\n")
    assert quality(words, vectors, tmp_path)["WS-353"].covered == 3
