from __future__ import annotations

import numpy as np
import pytest

from app.core.nearest import exact
from app.core.nearest.proposals import Allowed
from app.core.table.quantised import Quantised, quantise
from app.core.table.writing import normalise
from tests.oracles import search as oracle_search
from tests.published import FloatArray, random_vectors


def unit(vectors: FloatArray) -> FloatArray:
    return normalise(vectors)[0]


def test_finds_what_the_oracle_finds() -> None:
    vectors = random_vectors(150, 12)
    ids, scores = exact.nearest(unit(vectors), unit(vectors[:5]).astype(np.float64), 20)
    for i in range(5):
        expected = oracle_search.nearest(vectors.tolist(), vectors[i].tolist(), set(), 20)
        assert ids[i].tolist() == [j for j, _ in expected]
        np.testing.assert_allclose(scores[i], [score for _, score in expected], atol=1.1e-6)


@pytest.mark.parametrize("k", [1, 10, 299, 300])
def test_many_equal_rows_are_ordered_by_id(k: int) -> None:
    """The first of many that tie must be found."""
    vectors = unit(np.repeat(random_vectors(3, 10), 100, axis=0)[np.random.default_rng(1).permutation(300)])
    ids, scores = exact.nearest(vectors, vectors[:7].astype(np.float64), k)
    for row in range(7):
        every = scores_of_all(vectors, row)
        expected = sorted(range(300), key=lambda i: (-every[i], i))[:k]
        assert ids[row].tolist() == expected
        assert scores[row].tolist() == [every[i] for i in expected]


def test_scores_that_round_alike_are_ties_although_products_rank_them() -> None:
    """Row i is nearer than row i - 1 by less than a score tells: ids decide, and the proposal starts at the far end."""
    cosines = (0.5 + 4e-9 * np.arange(100)).astype(np.float32)
    vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    ids, scores = exact.nearest(vectors, np.array([[1.0, 0.0]]), 10)
    assert ids[0].tolist() == list(range(10))
    assert scores[0].tolist() == [0.5] * 10


def scores_of_all(vectors: FloatArray, row: int) -> list[float]:
    found: list[float] = np.round(vectors.astype(np.float64) @ vectors[row].astype(np.float64), 6).tolist()
    return found


@pytest.mark.parametrize(("n_words", "k"), [(1, 1), (97, 1), (1000, 7), (4099, 10), (4099, 1000), (4099, 4099)])
def test_no_word_is_missed_whatever_its_group(n_words: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of one word to many, the last of them incomplete, and directions in several parts."""
    monkeypatch.setattr(exact, "PRODUCTS_AT_A_TIME", 3 * n_words)
    vectors = unit(random_vectors(n_words, 9))
    directions = unit(random_vectors(10, 9, seed=1)).astype(np.float64)
    ids, found = exact.nearest(vectors, directions, k)
    every = np.round(directions @ vectors.astype(np.float64).T, 6)
    order = np.lexsort((np.broadcast_to(np.arange(n_words), every.shape), -every), axis=1)[:, :k]
    np.testing.assert_array_equal(ids, order)
    np.testing.assert_array_equal(found, np.take_along_axis(every, order, axis=1))


@pytest.mark.parametrize("is_quantised", [False, True])
@pytest.mark.parametrize("k", [1, 16, 600])
def test_each_direction_finds_what_it_may(k: int, is_quantised: bool) -> None:
    """In one batch: all words, the first, none, many and few by name; some of them beyond the first."""
    vectors = unit(np.repeat(random_vectors(1000, 9), 2, axis=0))  # each twice: ids decide
    rows = Quantised(quantise(vectors, "int8")) if is_quantised else vectors
    named = np.random.default_rng(2).permutation(2000)
    allowed = [
        None,
        Allowed(700),
        Allowed(3),
        Allowed(0),
        Allowed(2000, named[:1200].astype(np.int32)),
        Allowed(900, named[:1200]),
        Allowed(2000, named[:100]),
        Allowed(2000, named[:0]),
        Allowed(1),
    ]
    directions = unit(random_vectors(len(allowed), 9, seed=1)).astype(np.float64)
    ids, found = exact.nearest(rows, directions, k, allowed)
    every = np.round(directions @ rows[:].astype(np.float64).T, 6)
    for i, each in enumerate(allowed):
        among = range(2000) if each is None else range(each.n_first) if each.ids is None else each.ids.tolist()
        right = sorted((j for j in among if each is None or j < each.n_first), key=lambda j: (-every[i, j], j))[:k]
        assert ids[i].tolist() == right + [-1] * (k - len(right))
        assert found[i, : len(right)].tolist() == [every[i, j] for j in right]
        assert (found[i, len(right) :] == -np.inf).all()
    for some in ([1], [2, 8], [3], [4], [6, 7]):
        alone = exact.nearest(rows, directions[some], k, [allowed[i] for i in some])
        np.testing.assert_array_equal(alone[0], ids[some])
        np.testing.assert_array_equal(alone[1], found[some])


def test_best_of_few_candidates_ends_in_nothing() -> None:
    vectors = unit(random_vectors(20, 6))
    directions = vectors[:3].astype(np.float64)
    ids, found = exact.best(vectors, directions, np.array([2, 0, 2]), np.array([5, 7, 2]), 2)
    assert ids.tolist() == [[7, -1], [-1, -1], [2, 5]]
    assert found[2, 0] == 1.0
    assert found[0, 1] == found[1, 0] == -np.inf


def test_bytes_do_not_depend_on_the_batch() -> None:
    vectors = unit(random_vectors(3000, 100))
    directions = vectors[:40].astype(np.float64)
    together = exact.nearest(vectors, directions, 10)
    for i in range(40):
        ids, scores = exact.nearest(vectors, directions[i : i + 1], 10)
        assert ids.tobytes() == together[0][i].tobytes()
        assert scores.tobytes() == together[1][i].tobytes()


def test_nothing_asked() -> None:
    assert exact.nearest(unit(random_vectors(5, 4)), np.zeros((2, 4)), 0)[0].shape == (2, 0)
