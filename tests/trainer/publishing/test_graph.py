"""Graphs of near words: who meets whom, and what FAISS finds in them."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from app.core.nearest import exact
from app.core.table.writing import normalise
from tests.published import FloatArray, random_vectors
from trainer.publishing import graph, index
from trainer.publishing.candidates import PANEL, Regrouped
from trainer.publishing.grouping import FOUND, grouped, meetings
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, ignore

N_WORDS = 6000


def of_subjects(n_words: int, dim: int) -> FloatArray:
    """Words of subjects of subjects: trained vectors are near those of their subject, and nearer to some of them."""
    generator = np.random.default_rng(3)
    made = np.zeros((n_words, dim), np.float32)
    for n_subjects in (8, 64, 512):
        centers = generator.standard_normal((n_subjects, dim))
        made += centers[np.arange(n_words) * n_subjects // n_words]
    made += generator.standard_normal((n_words, dim))
    return normalise(made[generator.permutation(n_words)].astype(np.float32))[0]


@pytest.fixture(scope="module")
def ordered() -> FloatArray:
    return of_subjects(N_WORDS, 16)


def links_of(built: faiss.IndexHNSWFlat, layer: int) -> list[list[int]]:
    """Of each word, in FAISS's own terms."""
    hnsw: Any = built.hnsw  # the stubs lack most of it
    listed = np.empty(hnsw.neighbors.size(), np.int32)
    faiss.memcpy(faiss.swig_ptr(listed), hnsw.neighbors.data(), listed.nbytes)
    offsets, levels = (faiss.vector_to_array(each) for each in (hnsw.offsets, hnsw.levels))
    start, end = hnsw.cum_nb_neighbors(layer), hnsw.cum_nb_neighbors(layer + 1)
    rows = [
        listed[int(offset) + start : int(offset) + end] if level > layer else np.empty(0, np.int32)
        for offset, level in zip(offsets, levels, strict=False)
    ]
    return [row[row >= 0].tolist() for row in rows]


def nearest_of(unit_vectors: FloatArray, words: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    return exact.nearest_others(unit_vectors, words, k)[0]


def test_words_are_ordered_by_panels_of_near_ones(ordered: FloatArray) -> None:
    with Crew(2) as crew:
        order = grouped(ordered, crew)
    assert sorted(order.tolist()) == list(range(N_WORDS))
    panel = np.empty(N_WORDS, np.int64)
    panel[order] = np.arange(N_WORDS) // PANEL
    words = np.arange(0, N_WORDS, 10)
    is_shared = panel[words, None] == panel[nearest_of(ordered, words, 10)]
    assert is_shared.mean() > 3 / 12, "a twelfth of all words are in a panel"


@pytest.mark.parametrize("has_order", [True, False])
def test_as_many_panels_meet_as_most_neighbours_need(ordered: FloatArray, has_order: bool) -> None:
    unit_vectors = ordered if has_order else normalise(random_vectors(N_WORDS, 64))[0]
    with Crew(2) as crew:
        vectors = Regrouped(unit_vectors, grouped(unit_vectors, crew))
        meet = meetings(vectors, crew)
    np.testing.assert_array_equal(meet, meet.T)
    assert meet.any(axis=1).all()
    panel = np.empty(N_WORDS, np.int64)
    panel[vectors.order] = np.arange(N_WORDS) // PANEL
    words = np.arange(5, N_WORDS, 11)  # others than those that were tried
    pairs = panel[words, None], panel[nearest_of(unit_vectors, words, 10)]
    assert (meet | np.eye(len(meet), dtype=bool))[pairs].mean() == pytest.approx(FOUND, abs=0.05)
    share = meet.sum() / (len(meet) * (len(meet) - 1))
    assert share < 0.5 if has_order else share > 0.5


def test_few_panels_at_a_time_give_the_same_graph(ordered: FloatArray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = graph.build(ordered, ignore, threads=2)
    monkeypatch.setattr(graph, "AT_A_TIME", 5)
    assert links_of(graph.build(ordered, ignore, threads=2), 0) == links_of(whole, 0)


def test_words_have_links_on_each_of_their_layers(ordered: FloatArray) -> None:
    built = graph.build(ordered, ignore, threads=2)
    assert (built.ntotal, built.hnsw.max_level, built.hnsw.entry_point) == (N_WORDS, 5, 0)
    np.testing.assert_array_equal(built.reconstruct_n(0, N_WORDS), ordered)
    for layer in range(6):
        links, step = links_of(built, layer), 4**layer
        named = [word for word, row in enumerate(links) if row]
        assert named == list(range(0, N_WORDS, step))
        for word in named:
            assert len(set(links[word])) == len(links[word]) <= (16 if layer else 32)
            assert word not in links[word]
            assert all(other % step == 0 for other in links[word])


def test_a_layer_has_far_links_of_the_next_one_and_no_word_is_lost() -> None:
    """Tight groups of words: their nearest are all in the own group, which must not be left alone."""
    generator = np.random.default_rng(1)
    groups = np.repeat(generator.standard_normal((60, 16)), 100, axis=0)
    tight = groups + 0.1 * generator.standard_normal(groups.shape)
    unit_vectors = normalise(tight.astype(np.float32))[0]
    links = links_of(graph.build(unit_vectors, ignore, threads=2), 0)
    assert {other for row in links for other in row} == set(range(N_WORDS))
    reached, new = {0}, {0}
    while new:
        new = {other for word in new for other in links[word]} - reached
        reached |= new
    assert len(reached) == N_WORDS


def test_as_much_is_found_as_where_words_are_inserted_one_by_one(ordered: FloatArray) -> None:
    samples = index.word_sample(ordered), index.sum_sample(ordered)
    found = []
    for parameters in (graph.LINKED, graph.INSERTED):
        built = graph.build(ordered, ignore, threads=2, parameters=parameters)
        built.hnsw.efSearch = 128
        found.append([index.recall(built, ordered, sample) for sample in samples])
    assert np.min(found) > 0.99
    assert found[0] == pytest.approx(found[1], abs=0.003)


@pytest.mark.parametrize("n_words", [1, 2, 3, 17, PANEL, PANEL + 1])
def test_few_words_have_a_graph(n_words: int) -> None:
    unit_vectors = normalise(random_vectors(n_words, 8))[0]
    built = graph.build(unit_vectors, ignore, threads=2)
    built.hnsw.efSearch = 64
    found = built.search(unit_vectors, 1)[1][:, 0]
    assert found.tolist() == list(range(n_words))


def test_words_that_are_all_but_the_same_are_linked(ordered: FloatArray) -> None:
    """More of them than candidates have room for: who is nearest is then looked for in the own panel only."""
    unit_vectors = ordered.copy()
    unit_vectors[1::8] = unit_vectors[0]
    built = graph.build(unit_vectors, ignore, threads=2)
    alike = {0, *range(1, N_WORDS, 8)}
    links = links_of(built, 0)
    assert all(links)
    assert all(set(links[word]) & alike for word in alike)
    built.hnsw.efSearch = 64
    others = np.arange(2, N_WORDS, 8)
    assert (built.search(unit_vectors[others], 1)[1][:, 0] == others).mean() > 0.98


def test_whoever_builds_is_told_how_far_it_is(ordered: FloatArray) -> None:
    done = [0.0]
    with Crew(1) as crew:
        graph._Layer(ordered, 16, crew, done).links()
    assert done == pytest.approx([1.0])
    told: list[Progress] = []
    graph.build(ordered, told.append, threads=2)
    assert told[-1] == Progress(fraction=1.0)
