from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import VectorsCollapsed, VectorsNotFinite
from app.core.table.limits import IndexLimits
from app.core.table.manifest import INDEX_FILE, TABLE_FILE, IndexDescription, Written
from app.core.table.reading import open_table
from tests.published import ALWAYS_GRAPH, provenance, random_vectors, vocabulary_of, write_version
from trainer.publishing.index import build_index
from trainer.publishing.publish import publish
from trainer.steps.progress import Progress, ignore

WORDS = [f"w{i}" for i in range(200)]


def published(folder: Path, limits: IndexLimits | None = None, threads: int = 1) -> tuple[Written, list[Progress]]:
    """A version of random vectors, and what was told meanwhile."""
    reports: list[Progress] = []
    written = publish(
        folder,
        vocabulary_of(WORDS),
        {"vectors": random_vectors(200, 10)},
        provenance=provenance(),
        threads=threads,
        report=reports.append,
        limits=limits,
    )
    return written, reports


def test_publishes_what_opens(tmp_path: Path) -> None:
    written = write_version(tmp_path, WORDS, random_vectors(200, 10))
    table = open_table(tmp_path, written.sha256)
    assert table.manifest.n_words == 200
    assert table.manifest.dim == 10
    assert table.manifest.metrics["hubness"]["k"] == 10
    assert [table.lookup.find(word) for word in WORDS] == list(range(200))


def test_the_files_do_not_depend_on_threads(tmp_path: Path) -> None:
    found = []
    for threads in (1, 2, 5):
        folder = tmp_path / str(threads)
        folder.mkdir()
        published(folder, ALWAYS_GRAPH, threads)
        found.append({name: (folder / name).read_bytes() for name in (TABLE_FILE, INDEX_FILE)})
    assert found[0] == found[1] == found[2]


def test_reports_rise_to_the_end(tmp_path: Path) -> None:
    _, reports = published(tmp_path)
    steps = ["neighbor table", "graph", "files"]
    places = [(steps.index(report.step or ""), report.fraction) for report in reports]
    assert places == sorted(places)
    assert {(0, 1.0), (2, 0.0)} <= set(places)


@pytest.mark.parametrize(("min_recall", "kind"), [(0.0, "hnsw"), (1.01, "flat")])
def test_a_graph_is_tried_first_and_left_out_at_once(tmp_path: Path, min_recall: float, kind: str) -> None:
    written, reports = published(tmp_path, limits=IndexLimits(most_scanned=0, min_recall=min_recall))
    assert (written.manifest.index.kind, written.manifest.index.requested) == (kind, "auto")
    steps = list(dict.fromkeys(report.step for report in reports))
    assert steps == ["graph trial", "neighbor table", *(["graph"] if kind == "hnsw" else []), "files"]
    left_out = [report.step for report in reports if report.left_out == "graph"]
    assert left_out == ([] if kind == "hnsw" else ["graph trial"])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(tmp_path: Path, broken: float) -> None:
    vectors = random_vectors(200, 10)
    vectors[7, 3] = broken
    with pytest.raises(VectorsNotFinite, match="1 of 200"):
        write_version(tmp_path, WORDS, vectors)
    assert list(tmp_path.iterdir()) == []


def test_vectors_that_tell_nothing_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorsCollapsed):
        write_version(tmp_path, WORDS, np.ones((200, 10), np.float32))
    assert list(tmp_path.iterdir()) == []


def test_very_small_and_very_large_vectors_are_fine(tmp_path: Path) -> None:
    """Lengths are taken in float64, where their squares neither vanish nor overflow."""
    vectors = random_vectors(200, 10)
    vectors[:100] *= np.float32(1e-30)
    vectors[100:] *= np.float32(1e30)
    write_version(tmp_path, WORDS, vectors)
    np.testing.assert_allclose(np.linalg.norm(open_table(tmp_path).unit_vectors[:], axis=1), 1, atol=1e-6)


def test_the_vectors_are_given_back_before_a_graph_copies_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = {"vectors": random_vectors(30, 4)}
    taken = weakref.ref(trained["vectors"])
    alive = []

    def build(*asked: Any, threads: int) -> IndexDescription:
        alive.append(taken() is not None)
        return build_index(*asked, threads=threads)

    monkeypatch.setattr("trainer.publishing.publish.build_index", build)
    vocabulary = vocabulary_of([f"w{i}" for i in range(30)])
    publish(tmp_path, vocabulary, trained, provenance=provenance(), threads=1, report=ignore)
    assert alive == [False]
    assert trained == {}
