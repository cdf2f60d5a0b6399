from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from app.core.table.limits import IndexLimits
from app.core.table.manifest import INDEX_FILE
from app.core.table.writing import normalise
from tests.published import ALWAYS_GRAPH, FloatArray, random_vectors
from trainer.publishing import graph, index
from trainer.publishing.index import build_index
from trainer.steps.ending import HandedBack
from trainer.steps.progress import Progress, ignore


def test_a_small_table_needs_no_index(tmp_path: Path) -> None:
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], IndexLimits(), ignore, threads=1)
    assert (chosen.kind, chosen.recall_at_10, list(tmp_path.iterdir())) == ("flat", 1.0, [])
    assert (chosen.requested, chosen.build_seconds) == ("auto", 0.0)


@pytest.mark.parametrize(("most_scanned", "kind"), [(2000, "flat"), (1999, "hnsw")])
def test_the_choice_is_by_the_count_of_numbers_whatever_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_scanned: int, kind: str
) -> None:
    unit_vectors = normalise(random_vectors(200, 10))[0]
    for milliseconds in (0.0, 1e6):
        monkeypatch.setattr(index, "_milliseconds", lambda *_, told=milliseconds: told)
        limits = IndexLimits(most_scanned=most_scanned, min_recall=0.0)
        chosen = build_index(tmp_path, unit_vectors, limits, ignore, threads=1)
        assert (chosen.kind, chosen.query_milliseconds) == (kind, milliseconds)


def test_exact_scans_a_table_of_any_size(tmp_path: Path) -> None:
    limits = IndexLimits("exact", most_scanned=0)
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], limits, ignore, threads=1)
    assert (chosen.kind, chosen.requested, list(tmp_path.iterdir())) == ("flat", "exact", [])


def test_a_graph_that_is_asked_for_is_made_and_tells_its_best_recall(tmp_path: Path) -> None:
    """No recall is above 1: none is enough, and the least of the best efforts is taken."""
    unit_vectors = normalise(random_vectors(500, 10))[0]
    chosen = build_index(tmp_path, unit_vectors, IndexLimits("graph", min_recall=1.01), ignore, threads=1)
    built = graph.build(unit_vectors, ignore, threads=2)
    recalls = []
    for built.hnsw.efSearch in index.EF_SEARCH:
        recalls.append(index.recall(built, unit_vectors, index.word_sample(unit_vectors)))
    assert (chosen.kind, chosen.requested) == ("hnsw", "graph")
    assert chosen.recall_at_10 == pytest.approx(max(recalls), abs=1e-4)
    assert chosen.parameters["ef_search"] == index.EF_SEARCH[recalls.index(max(recalls))]
    assert chosen.sums is not None


def test_two_words_can_have_a_graph(tmp_path: Path) -> None:
    chosen = build_index(tmp_path, normalise(random_vectors(2, 4))[0], IndexLimits("graph"), ignore, threads=1)
    assert (chosen.kind, chosen.recall_at_10) == ("hnsw", 1.0)


def test_a_large_table_gets_a_graph_with_the_smallest_sufficient_effort(tmp_path: Path) -> None:
    unit_vectors = normalise(random_vectors(3000, 20))[0]
    built = graph.build(unit_vectors, ignore, threads=2)
    recalls = []
    for built.hnsw.efSearch in (16, 32):
        recalls.append(index.recall(built, unit_vectors, index.word_sample(unit_vectors)))
    assert recalls[0] < recalls[1]
    for min_recall, ef_search in zip(recalls, (16, 32), strict=True):
        limits = IndexLimits(most_scanned=0, min_recall=min_recall)
        chosen = build_index(tmp_path, unit_vectors, limits, ignore, threads=1)
        assert chosen.kind == "hnsw"
        assert chosen.recall_at_10 == pytest.approx(min_recall, abs=1e-4)
        assert chosen.parameters == {"links": 16, "neighbors": 48, "ef_search": ef_search}
        assert (tmp_path / INDEX_FILE).exists()


def test_a_graph_that_misses_the_recall_falls_back_to_the_scan(tmp_path: Path) -> None:
    limits = IndexLimits(most_scanned=0, min_recall=1.01)
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], limits, ignore, threads=1)
    assert (chosen.kind, chosen.recall_at_10, list(tmp_path.iterdir())) == ("flat", 1.0, [])
    assert chosen.build_seconds > 0


def test_the_graph_is_the_same_for_any_number_of_threads(tmp_path: Path) -> None:
    unit_vectors = normalise(random_vectors(6000, 16))[0]
    made = []
    for name, threads in {"a": 1, "b": 1, "c": 2, "d": 5}.items():
        (tmp_path / name).mkdir()
        chosen = build_index(tmp_path / name, unit_vectors, ALWAYS_GRAPH, ignore, threads=threads)
        sums = chosen.sums and (chosen.sums.ef_search, chosen.sums.recall_at_10)
        made.append(((tmp_path / name / INDEX_FILE).read_bytes(), chosen.recall_at_10, sums))
    assert all(each == made[0] for each in made)


def test_whoever_builds_a_graph_can_be_stopped_while_it_is_measured(tmp_path: Path) -> None:
    """Nothing is written then: the file comes when the words are measured."""

    def stop_at_the_end(progress: Progress) -> None:
        if progress.fraction == 1.0:
            n_told.append(1)
            if len(n_told) == 2:
                raise HandedBack

    n_told: list[int] = []
    with pytest.raises(HandedBack):
        build_index(tmp_path, normalise(random_vectors(200, 10))[0], ALWAYS_GRAPH, stop_at_the_end, threads=2)
    assert list(tmp_path.iterdir()) == []


def test_sums_are_scanned_for_where_the_graph_misses_them(tmp_path: Path) -> None:
    """Tight clusters: a word's neighbours are a step away, what lies between clusters is not found."""
    generator = np.random.default_rng(2)
    centers = np.repeat(generator.standard_normal((400, 60)), 20, axis=0)
    vectors = (centers + 0.05 * generator.standard_normal(centers.shape)).astype(np.float32)
    unit_vectors = normalise(vectors)[0]
    chosen = build_index(tmp_path, unit_vectors, ALWAYS_GRAPH, ignore, threads=1)
    built = graph.build(unit_vectors, ignore, threads=2)
    built.hnsw.efSearch = 16
    of_words = index.recall(built, unit_vectors, index.word_sample(unit_vectors))
    of_sums = index.recall(built, unit_vectors, index.sum_sample(unit_vectors))
    assert chosen.recall_at_10 == pytest.approx(of_words, abs=1e-4)
    assert chosen.sums is not None
    assert chosen.sums.recall_at_10 == pytest.approx(of_sums, abs=1e-4)
    assert of_sums < of_words
    limits = IndexLimits(most_scanned=0, min_recall=(of_words + of_sums) / 2)
    chosen = build_index(tmp_path, unit_vectors, limits, ignore, threads=1)
    assert chosen.parameters["ef_search"] == 16
    assert chosen.sums is None or chosen.sums.ef_search > 16


def test_recall_is_the_share_of_right_answers(tmp_path: Path) -> None:
    """An index over half of the words finds about half of the answers; the word asked for is none of them."""
    unit_vectors = normalise(random_vectors(600, 8))[0]
    half = faiss.IndexHNSWFlat(8, 16, faiss.METRIC_INNER_PRODUCT)
    half.add(unit_vectors[:300])
    half.hnsw.efSearch = 300
    sample = index.word_sample(unit_vectors)
    right = [len({j for j, _ in nearest_words(unit_vectors, i) if j < 300}) / 10 for i in sample.asked[:, 0].tolist()]
    assert index.recall(half, unit_vectors, sample) == pytest.approx(sum(right) / len(right), abs=0.01)


def nearest_words(unit_vectors: FloatArray, word: int) -> list[tuple[int, float]]:
    scores = np.round(unit_vectors.astype(np.float64) @ unit_vectors[word].astype(np.float64), 6).tolist()
    return sorted(((i, s) for i, s in enumerate(scores) if i != word), key=lambda pair: (-pair[1], pair[0]))[:10]
