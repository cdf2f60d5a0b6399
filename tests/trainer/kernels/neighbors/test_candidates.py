from __future__ import annotations

import numpy as np
import pytest

from app.core.table.writing import normalise
from tests.published import random_vectors
from trainer.kernels.llvm import LANES
from trainer.kernels.neighbors.candidates import CAPACITY, GIVEN_UP, offer_own, offer_scores, raise_bars
from trainer.kernels.neighbors.masks import WIDTH
from trainer.kernels.neighbors.products import ONE, n_pairs, pack

K, SLACK = 20, 0.01


class Words:
    """Words that have candidates."""

    def __init__(self, n_words: int) -> None:
        self.bars = np.full(n_words, -np.inf, np.float32)
        self.counts = np.zeros(n_words, np.int32)
        self.listed = np.zeros((n_words, CAPACITY, 2), np.int32)
        self.state = tuple(each.ctypes.data for each in (self.bars, self.counts, self.listed))

    def offer(self, scores: np.ndarray, first_row: int, first_column: int, *, is_shared: bool) -> None:
        hits = np.empty((len(scores), 3), np.int64)
        for start in range(0, scores.shape[1], WIDTH):
            some = np.ascontiguousarray(scores[:, start : start + WIDTH])
            part = first_row, len(scores), first_column + start, is_shared
            offer_scores((some.ctypes.data, hits.ctypes.data), part, self.state, K, SLACK)

    def candidates(self, word: int) -> dict[int, float]:
        listed = self.listed[word, : self.counts[word]]
        return dict(zip(listed[:, 1].tolist(), listed.view(np.float32)[:, 0].tolist(), strict=True))


def near_best(scores: np.ndarray, others: range) -> dict[int, float]:
    """Who is not below the k-th best score by more than the slack."""
    bar = np.sort(scores)[-K] - np.float32(SLACK)
    return {other: score for other, score in zip(others, scores.tolist(), strict=True) if score >= bar}


@pytest.mark.parametrize("n_columns", [64, 256])
def test_rows_and_columns_keep_all_that_can_be_nearest(n_columns: int) -> None:
    """16 blocks below each other, then every word's bar is raised once more: more than a full list, and less."""
    scores = np.random.default_rng(1).uniform(-1, 1, (400, n_columns)).astype(np.float32)
    words = Words(400 + n_columns)
    for start in range(0, 400, 25):
        words.offer(scores[start : start + 25], start, 400, is_shared=True)
    raise_bars(0, len(words.bars), words.state, K, SLACK)
    columns, rows = range(400, 400 + n_columns), range(400)
    for word in range(len(words.bars)):
        expected = near_best(scores[word], columns) if word < 400 else near_best(scores[:, word - 400], rows)
        found = words.candidates(word)
        assert expected.items() <= found.items()
        assert len(found) <= len(expected) + 20, "few more"


def test_columns_of_a_block_that_is_not_shared_get_nothing_and_a_word_is_not_its_own() -> None:
    words = Words(64)
    scores = np.random.default_rng(2).uniform(-1, 1, (10, 64)).astype(np.float32)
    words.offer(scores, 5, 0, is_shared=False)
    assert words.counts.tolist() == [63 if 5 <= word < 15 else 0 for word in range(64)]
    assert [word in words.candidates(word) for word in range(5, 15)] == [False] * 10


@pytest.mark.parametrize("n_words", [130, 512])
def test_bars_begin_with_what_k_others_reach(n_words: int) -> None:
    unit_vectors = normalise(random_vectors(n_words, 20))[0]
    words = offered_to_each_other(unit_vectors)
    scores = cosines_of_integers(unit_vectors)
    reached = (scores >= words.bars[:, None] + np.float32(SLACK)).sum(axis=1)
    assert (reached >= K + 1).all()
    assert (reached <= K + 4).all()
    for word in range(0, n_words, 50):
        others = {other: score for other, score in enumerate(scores[word].tolist()) if other != word}
        assert words.candidates(word).items() <= others.items()
        assert words.counts[word] == sum(score >= words.bars[word] for score in others.values())


def test_few_words_are_all_candidates_of_each_other() -> None:
    words = offered_to_each_other(normalise(random_vectors(9, 20))[0])
    assert [sorted(words.candidates(word)) for word in range(9)] == [[*range(i), *range(i + 1, 9)] for i in range(9)]


def offered_to_each_other(unit_vectors: np.ndarray) -> Words:
    n_words, dim = unit_vectors.shape
    words, n_rows = Words(n_words), -(-n_words // WIDTH) * WIDTH
    rows = np.empty((n_rows // LANES, n_pairs(dim), LANES), np.int32)
    pack(unit_vectors, rows)
    scores, hits = np.empty((n_rows, n_rows), np.float32), np.empty((n_rows, 3), np.int64)
    space = scores.ctypes.data, hits.ctypes.data
    offer_own(rows, (0, n_words), words.state, space, K, SLACK)
    return words


def cosines_of_integers(unit_vectors: np.ndarray) -> np.ndarray:
    integers = np.rint(unit_vectors * np.float32(ONE)).astype(np.int64)
    return (integers @ integers.T).astype(np.float32) * np.float32(1 / ONE**2)


def test_what_fills_up_a_block_is_nobodys() -> None:
    words = Words(1)
    scores = np.full((1, 64), np.nan, np.float32)
    scores[0, :3] = [0.5, -0.5, 0.25]
    words.offer(scores, 0, 100, is_shared=False)
    assert words.candidates(0) == {100: 0.5, 101: -0.5, 102: 0.25}


def test_a_word_with_too_many_equals_is_given_up() -> None:
    words = Words(2)
    for first in (100, 164, 228):
        scores = np.full((2, 64), 0.5, np.float32)
        scores[1] = np.linspace(0, 1, 64) + first
        words.offer(scores / 300, 0, first, is_shared=False)
    assert words.counts.tolist()[0] == GIVEN_UP
    assert words.counts[1] >= K
