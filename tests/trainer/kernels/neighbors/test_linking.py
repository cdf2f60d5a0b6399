"""Links of a graph, beside the same rules written for reading."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.table.writing import normalise
from tests.published import FloatArray, random_vectors
from trainer.kernels.neighbors.linking import RELAXED, add_far, link, link_both_ways, link_lost, reversed_links

N_WORDS, DIM, K = 300, 16, 24


@pytest.fixture(scope="module")
def unit_vectors() -> FloatArray:
    return normalise(random_vectors(N_WORDS, DIM))[0]


@pytest.fixture(scope="module")
def nearest(unit_vectors: FloatArray) -> np.ndarray:
    scores = unit_vectors @ unit_vectors.T
    np.fill_diagonal(scores, -2)
    found = np.argsort(-scores, axis=1)[:, :K].astype(np.int32)
    found[7, 5:] = -1  # of this word five are known
    found[8] = -1
    return found


def chosen_of(unit_vectors: FloatArray, word: int, near: list[int], most: int) -> list[int]:
    """Those that no chosen one leads to, then the nearest of the others."""
    distances = ((unit_vectors[:, None].astype(np.float64) - unit_vectors[None]) ** 2).sum(axis=2)
    chosen: list[int] = []
    for other in near:
        if all(distances[other, c] * RELAXED >= distances[word, other] for c in chosen) and len(chosen) < most:
            chosen.append(other)
    return (chosen + [other for other in near if other not in chosen])[:most]


def linked(unit_vectors: FloatArray, nearest: np.ndarray, most: int) -> np.ndarray:
    links = np.full((N_WORDS, most), 999, np.int32)
    for words in np.array_split(np.random.default_rng(1).permutation(N_WORDS), 3):
        link(unit_vectors, words, nearest[words], links)
    return links


def known(row: np.ndarray) -> list[int]:
    """What is not -1; these are at the end."""
    listed: list[int] = row[row >= 0].tolist()
    assert row[len(listed) :].tolist() == [-1] * (len(row) - len(listed))
    return listed


@pytest.mark.parametrize("most", [4, 12])
def test_links_lead_in_different_directions_and_then_to_the_nearest(
    unit_vectors: FloatArray, nearest: np.ndarray, most: int
) -> None:
    links = linked(unit_vectors, nearest, most)
    for word in range(0, N_WORDS, 7):
        assert known(links[word]) == chosen_of(unit_vectors, word, known(nearest[word]), most)
    assert sorted(known(links[7])) == sorted(known(nearest[7])[:most])
    assert known(links[8]) == []
    assert any(known(row) != near[:most].tolist() for row, near in zip(links, nearest, strict=True)), (
        "not just the near"
    )


def test_links_are_reversed(unit_vectors: FloatArray, nearest: np.ndarray) -> None:
    links = linked(unit_vectors, nearest, 4)
    offsets, linking = reversed_links(links)
    for word in range(N_WORDS):
        assert (
            linking[offsets[word] : offsets[word + 1]].tolist() == np.flatnonzero((links == word).any(axis=1)).tolist()
        )


def test_words_get_the_links_to_them_and_the_best_where_there_are_too_many(
    unit_vectors: FloatArray, nearest: np.ndarray
) -> None:
    links = linked(unit_vectors, nearest, 6)
    offsets, linking = reversed_links(links)
    both = np.full((N_WORDS, 9), 999, np.int32)
    for words in np.array_split(np.random.default_rng(1).permutation(N_WORDS), 3):
        link_both_ways(unit_vectors, words, links, offsets, linking, both)
    sizes = set()
    for word in range(N_WORDS):
        own = known(links[word])
        every = own + [int(other) for other in linking[offsets[word] : offsets[word + 1]] if other not in own]
        sizes.add(len(every) > 9)
        if len(every) > 9:
            by_nearness = sorted(every, key=lambda other: -float(unit_vectors[word] @ unit_vectors[other]))
            every = chosen_of(unit_vectors, word, by_nearness, 9)
        assert known(both[word]) == every
    assert sizes == {True, False}


def test_far_links_are_added_and_take_the_last_places() -> None:
    links = np.full((5, 4), -1, np.int32)
    links[0] = [1, 2, 3, 4]
    links[2, :3] = [4, 3, 1]
    links[4, :1] = [0]
    add_far(links, 2, np.array([[2, 9], [8, 7], [-1, -1]], np.int32))
    assert links.tolist() == [[1, 2, 3, 9], [-1] * 4, [4, 3, 7, 8], [-1] * 4, [0, -1, -1, -1]]


def test_a_word_that_none_links_to_takes_the_place_of_one_that_others_link_to() -> None:
    """Nobody links to 3 and 5: 0 gives up 1, which others link to, and keeps 2; 4 has room."""
    links = np.array([[1, 2], [0, 4], [1, 4], [0, 1], [0, -1], [4, 0]], np.int32)
    link_lost(links)
    assert links.tolist() == [[3, 2], [0, 4], [1, 4], [0, 1], [0, 5], [4, 0]]
    assert set(links.ravel().tolist()) == {*range(6)}
