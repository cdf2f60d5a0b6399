"""The evaluator against published vectors and against cases small enough to count."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import analogies, quality, similarity


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


def test_published_vectors_score_as_published(shared_data: Path) -> None:
    """The first 20,000 words of glove.6B.50d: near the scores of the whole, which covers a few rarer pairs more."""
    with lzma.open(shared_data / "vectors" / "glove.6B.50d.20k.w2v.txt.xz", "rt", encoding="utf-8") as file:
        n_words, dim = (int(part) for part in file.readline().split())
        words, rows = [], np.empty((n_words, dim), np.float32)
        for i, line in enumerate(file):
            word, *numbers = line.rstrip().split(" ")
            words.append(word)
            rows[i] = numbers
    scores = quality(words, rows, shared_data)
    assert scores["WS-353"].value == pytest.approx(0.5033, abs=0.03)
    assert scores["SimLex"].value == pytest.approx(0.2646, abs=0.03)
    assert scores["analogy"].value == pytest.approx(0.4969, abs=0.06)
    assert scores["analogy"].covered < 14_877
    assert scores["WS-353"].covered > 300
