"""Each measure against a slow one that is written as the papers say it."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.evaluation.drift import measures
from app.core.evaluation.drift.measures import aligned_cosines, overlaps, rotation, surroundings
from app.core.evaluation.drift.spaces import Pair, Space, Words
from app.core.table.arrays import FloatArray
from app.core.table.quantised import Quantised, quantise
from tests.app.core.evaluation.drift.planted import DIM, WORDS, learned, space

SHORT = WORDS[:50:-1]
"""Another vocabulary: without the first words, in another order."""


@pytest.fixture(scope="module")
def pair() -> Pair:
    """Of different dimensions, words and orders."""
    turned = learned(2, dim=DIM + 4)
    return Pair.of(space(learned(1)), space(np.ascontiguousarray(turned[:50:-1]), SHORT))


def slow(pair: Pair, first: int, second: int) -> tuple[FloatArray, FloatArray]:
    """The cosines to the neighbours of both sides, by words and dictionaries."""
    sides = [(pair.first, first), (pair.second, second)]
    words = [side.vocabulary.words() for side, _ in sides]
    ids = [{word: i for i, word in enumerate(listed)} for listed in words]
    union: set[str] = set()
    for (side, own), listed, others in zip(sides, words, reversed(ids), strict=True):
        near = [listed[i] for i in side.neighbors.ids[own].tolist()]
        union |= set([word for word in near if word in others][:25])
    before, after = (
        np.array([side.unit_vectors[own] @ side.unit_vectors[known[word]] for word in sorted(union)])
        for (side, own), known in zip(sides, ids, strict=True)
    )
    return before, after


def test_words_are_matched_by_their_spelling(pair: Pair) -> None:
    first, second = pair.shared
    assert len(first) == len(SHORT)
    spelled = [pair.first.vocabulary.word(i) for i in first.tolist()]
    assert spelled == [pair.second.vocabulary.word(i) for i in second.tolist()]
    ranks = np.maximum(first, second).tolist()
    assert ranks == sorted(ranks)
    assert (pair.to_second[:51] == -1).all()


def test_surroundings_are_those_of_the_paper(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = pair.shared
    some = Words(first[::40], second[::40])
    cosines = [slow(pair, a, b) for a, b in zip(some.first.tolist(), some.second.tolist(), strict=True)]
    likeness = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in cosines]
    joined = [np.concatenate(side) for side in zip(*cosines, strict=True)]
    ratio = float(np.linalg.lstsq(joined[1][:, None], joined[0], rcond=None)[0][0])
    shifts = [float(np.sqrt(np.mean((a - ratio * b) ** 2))) for a, b in cosines]
    for numbers in (measures.BLOCK_NUMBERS, 3000):
        monkeypatch.setattr(measures, "BLOCK_NUMBERS", numbers)
        found = surroundings(pair, some)
        assert found.ratio == pytest.approx(ratio, abs=1e-6)
        assert found.likeness() == pytest.approx(likeness, abs=2e-6)
        assert found.shift(ratio) == pytest.approx(shifts, abs=2e-6)


def test_overlap_counts_the_words_that_stay(pair: Pair) -> None:
    first, second = pair.shared
    words = [space_.vocabulary.words() for space_ in (pair.first, pair.second)]
    for a, b, found in list(zip(first.tolist(), second.tolist(), overlaps(pair, pair.shared), strict=True))[::60]:
        before = {words[0][i] for i in pair.first.neighbors.ids[a, :10].tolist()}
        after = {words[1][i] for i in pair.second.neighbors.ids[b, :10].tolist()}
        assert found == pytest.approx(len(before & after) / 10)


def test_a_turned_copy_is_recovered() -> None:
    """Also into more dimensions: nothing has changed, and the measures say so."""
    vectors = learned(1)
    wide = np.pad(vectors, ((0, 0), (0, 3))) @ np.linalg.qr(np.random.default_rng(4).standard_normal((DIM + 3,) * 2))[0]
    for first, second in ((vectors, wide), (wide, vectors)):
        pair = Pair.of(space(first.astype(np.float32)), space(second.astype(np.float32)))
        turn = rotation(pair)
        assert turn @ turn.T == pytest.approx(np.eye(len(turn)), abs=1e-9)
        assert aligned_cosines(pair, pair.shared, turn) == pytest.approx(1, abs=1e-6)
        found = surroundings(pair, pair.shared)
        assert found.likeness() == pytest.approx(1, abs=1e-6)
        assert found.shift(found.ratio) == pytest.approx(0, abs=1e-5)
        assert overlaps(pair, pair.shared).mean() > 0.999


def test_a_word_without_shared_neighbors_is_not_alike() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1]], np.float32)
    pair = Pair.of(space(vectors, ["a", "b", "c", "d"]), space(vectors, ["a", "x", "y", "z"]))
    found = surroundings(pair, pair.shared)
    assert (found.likeness().tolist(), found.ratio, found.shift(1.0).tolist()) == ([0.0], 1.0, [1.0])
    assert overlaps(pair, pair.shared).tolist() == [0.0]


def test_neighbors_that_are_not_stored_are_looked_for() -> None:
    whole = space(learned(1))
    stored = type(whole.neighbors)(whole.neighbors.ids[:600], whole.neighbors.scores[:600])
    part = Space(whole.vocabulary, True, whole.unit_vectors, stored)
    ids = np.array([3, 700, 999])
    assert (part.nearest(ids) == whole.neighbors.ids[ids]).all()
    pair = Pair.of(part, whole)
    assert len(pair.considered(min_count=1, max_words=1000).first) == 600
    assert len(pair.considered(min_count=260, max_words=1000).first) == 500
    assert len(pair.considered(min_count=260, max_words=70).first) == 70


def test_vectors_in_fewer_bytes_are_compared_as_they_are_served() -> None:
    whole = space(learned(1))
    codes = Quantised(quantise(np.asarray(whole.unit_vectors[:]), "int8"))
    pair = Pair.of(whole, Space(whole.vocabulary, True, codes, whole.neighbors))
    found = surroundings(pair, pair.shared)
    assert found.shift(found.ratio).max() < 0.02
    assert aligned_cosines(pair, pair.shared, rotation(pair)).min() > 0.999
