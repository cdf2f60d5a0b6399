from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from app.core.table import limits
from app.core.table.arrays import FloatArray, Neighbors
from app.core.table.quantised import Quantised, UnitVectors, quantise
from app.core.table.writing import normalise
from tests.oracles import search as oracle_search
from tests.published import random_vectors, vocabulary_of
from tests.trainer.publishing.test_leading import pointing_one_way
from trainer.publishing import neighbors
from trainer.publishing.candidates import Candidates
from trainer.publishing.leading import Leading, leading_of
from trainer.publishing.neighbors import hubness, nearest_neighbors
from trainer.steps.progress import Progress, ignore


def test_table_is_the_oracles() -> None:
    vectors = random_vectors(120, 9)
    found = nearest_neighbors(normalise(vectors)[0], threads=2, report=ignore)
    assert found.ids.shape == found.scores.shape == (120, 50)
    assert found.ids.dtype == np.dtype(np.int32)
    assert found.scores.dtype == np.dtype(np.float32)
    for i in range(0, 120, 7):
        expected = oracle_search.nearest(vectors.tolist(), vectors[i].tolist(), {i}, 50)
        assert found.ids[i].tolist() == [j for j, _ in expected]
        np.testing.assert_allclose(found.scores[i], [score for _, score in expected], atol=1.1e-6)


def test_bytes_do_not_depend_on_threads() -> None:
    unit_vectors = normalise(random_vectors(3000, 40))[0]
    one, three = (nearest_neighbors(unit_vectors, threads=n, report=ignore) for n in (1, 3))
    assert one.ids.tobytes() == three.ids.tobytes()
    assert one.scores.tobytes() == three.scores.tobytes()


def equal_to_some(n_words: int) -> FloatArray:
    """Every third one equal to one other, some opposite to it, and zeros, which are as near to each other as to all."""
    found = normalise(random_vectors(n_words, 20))[0]
    found[::3] = found[1]
    found[5::9] = -found[1]
    found[2::50] = 0
    return found


def on_a_grid(n_words: int) -> FloatArray:
    """Few scores, each of many pairs."""
    found = np.random.default_rng(4).integers(1, 4, (n_words, 4)).astype(np.float32)
    return normalise(found)[0]


SEARCHED: dict[str, Callable[[], UnitVectors]] = {
    "random": lambda: normalise(random_vectors(1700, 12))[0],
    "beside a full mask": lambda: normalise(random_vectors(577, 130))[0],
    "as many as are wanted": lambda: normalise(random_vectors(51, 5))[0],
    "fewer": lambda: normalise(random_vectors(9, 5))[0],
    "equal to some": lambda: equal_to_some(1100),
    "on a grid": lambda: on_a_grid(1100),
    "all equal": lambda: np.repeat(normalise(random_vectors(1, 8))[0], 600, axis=0),
    "all but equal": lambda: normalise(random_vectors(1, 8) + np.float32(1e-6) * random_vectors(600, 8))[0],
    "zeros": lambda: np.zeros((600, 3), np.float32),
    "int8": lambda: Quantised(quantise(normalise(random_vectors(700, 33))[0], "int8")),
    "float16": lambda: Quantised(quantise(normalise(random_vectors(700, 33))[0], "float16")),
}


@pytest.mark.parametrize("case", SEARCHED)
@pytest.mark.parametrize("threads", [1, 3])
def test_table_has_the_bytes_of_plain_numpy(case: str, threads: int) -> None:
    unit_vectors = SEARCHED[case]()
    found = nearest_neighbors(unit_vectors, threads=threads, report=ignore)
    for i in range(0, len(unit_vectors), 5):
        assert (found.ids[i].tolist(), found.scores[i].tobytes()) == expected(unit_vectors, i)


@pytest.mark.parametrize("case", SEARCHED)
@pytest.mark.parametrize("turning", ["towards what leads", "any way"])
def test_the_table_is_the_same_where_numbers_are_multiplied_first(
    case: str, turning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where these say most of a score, and where they say next to nothing."""
    unit_vectors = SEARCHED[case]()
    dim = unit_vectors.shape[1]
    some = unit_vectors[:].astype(np.float64) if turning == "towards what leads" else random_vectors(dim, dim)
    rotation = np.linalg.eigh(some.T @ some)[1][:, ::-1]
    monkeypatch.setattr(neighbors, "leading_of", lambda *_: Leading(rotation, max(1, dim // 3)))
    found = nearest_neighbors(unit_vectors, threads=2, report=ignore)
    for i in range(0, len(unit_vectors), 5):
        assert (found.ids[i].tolist(), found.scores[i].tobytes()) == expected(unit_vectors, i)


def test_of_trained_vectors_some_numbers_are_multiplied_first() -> None:
    """Without being told to; few directions hold most of a vector, as where a model has learned some."""
    unit_vectors = pointing_one_way(20_000, 100)
    assert leading_of(unit_vectors, 50)
    found = nearest_neighbors(unit_vectors, threads=2, report=ignore)
    for i in range(0, 20_000, 400):
        assert (found.ids[i].tolist(), found.scores[i].tobytes()) == expected(unit_vectors, i)


def expected(unit_vectors: UnitVectors, word: int) -> tuple[list[int], bytes]:
    """All scores in float64, rounded; sorted by falling score, ties by rising id."""
    doubles = unit_vectors[:].astype(np.float64)
    cosines = np.round((doubles * doubles[word]).sum(axis=1), 6) + 0.0
    order = [j for j in np.lexsort((np.arange(len(doubles)), -cosines)).tolist() if j != word][:50]
    return order, cosines[order].astype(np.float32).tobytes()


@pytest.mark.parametrize(("n_covered", "n_panels"), [(1, 1), (2, 2), (5, 5), (3, 6)])
def test_every_pair_of_panels_meets_once(n_covered: int, n_panels: int) -> None:
    met = [(panel, other) for panel in range(n_covered) for other in neighbors.strip(panel, n_panels)]
    assert sorted(met) == [(i, j) for i in range(n_covered) for j in range(i + 1, n_panels)]


def test_a_word_is_not_its_own_neighbor_even_among_equals() -> None:
    """60 equal vectors: some words are not even among their own first 51."""
    unit_vectors = normalise(np.repeat(random_vectors(2, 5), 60, axis=0))[0]
    found = nearest_neighbors(unit_vectors, threads=1, report=ignore)
    assert not (found.ids == np.arange(120)[:, None]).any()
    assert found.ids[55].tolist() == list(range(50))
    assert found.ids[3].tolist() == [*range(3), *range(4, 51)]


@pytest.mark.parametrize("n_words", [1, 2])
def test_tiny_vocabularies(n_words: int) -> None:
    found = nearest_neighbors(normalise(random_vectors(n_words, 3))[0], threads=2, report=ignore)
    assert found.ids.tolist() == ([[]] if n_words == 1 else [[1], [0]])


def test_only_the_most_frequent_are_covered_of_a_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ALWAYS_COVERED", 1500)
    monkeypatch.setattr(limits, "MOST_PRODUCTS", 0)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.0)
    unit_vectors = normalise(random_vectors(6000, 8))[0]
    reports: list[Progress] = []
    was_told, offer_block, n_offered = threading.Event(), Candidates.offer_block, []

    def offer_and_wait(candidates: Candidates, first: int, second: int) -> None:
        """However fast threads are, each block is told before the next one begins."""
        offer_block(candidates, first, second)
        n_offered.append(1)
        was_told.clear()
        assert was_told.wait(60)

    def report(progress: Progress) -> None:
        reports.append(progress)
        was_told.set()

    monkeypatch.setattr(Candidates, "offer_block", offer_and_wait)
    found = nearest_neighbors(unit_vectors, threads=1, report=report)
    assert len(found.ids) == 2 * limits.BLOCK
    assert int(found.ids.max()) > len(found.ids), "neighbours come from the whole vocabulary"
    for i in range(0, 2048, 50):
        assert (found.ids[i].tolist(), found.scores[i].tobytes()) == expected(unit_vectors, i)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    told = sorted(set(fractions))
    assert len(told) > len(n_offered) > 0
    assert 0.1 < told[len(told) // 2] < 1
    assert fractions[-1] == 1


@pytest.mark.parametrize(
    ("n_words", "dim", "covered"),
    [(50_000, 100, 50_000), (100_000, 1000, 100_000), (122_880, 100, 122_880), (150_000, 100, 100_352)],
)
def test_coverage_is_by_counts(n_words: int, dim: int, covered: int) -> None:
    """122,070 words of 122,880 are paid for; the last block is made whole."""
    assert limits.n_covered(n_words, dim) == covered


def test_hubness_of_a_star() -> None:
    """Word 0 is everybody's only neighbour."""
    ids = np.array([[1], [0], [0], [0], [0]], np.int32)
    found = hubness(Neighbors(ids, np.ones((5, 1), np.float32)), vocabulary_of(list("abcde")))
    assert found["hubs"] == [{"word": "a", "count": 4}, {"word": "b", "count": 1}]
    counts = np.array([4, 1, 0, 0, 0])
    assert found["skewness"] == pytest.approx(np.mean((counts - 1) ** 3) / counts.std() ** 3, abs=1e-4)
    assert found["never_a_neighbor"] == 3
