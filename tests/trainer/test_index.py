from __future__ import annotations

from pathlib import Path

import pytest

from app.core.table import INDEX_FILE, normalise
from tests.published import ALWAYS_GRAPH, random_vectors
from trainer import index
from trainer.index import IndexLimits, build_index
from trainer.progress import ignore


def test_a_fast_scan_needs_no_index(tmp_path: Path) -> None:
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], IndexLimits(), ignore)
    assert (chosen.kind, chosen.recall_at_10, list(tmp_path.iterdir())) == ("flat", 1.0, [])


def test_a_slow_scan_gets_a_graph_with_the_smallest_sufficient_effort(tmp_path: Path) -> None:
    limits = IndexLimits(flat_budget_milliseconds=0.0, must_be_faster=False)
    chosen = build_index(tmp_path, normalise(random_vectors(3000, 20))[0], limits, ignore)
    assert chosen.kind == "hnsw"
    assert chosen.recall_at_10 >= 0.99
    assert chosen.parameters == {"links": 32, "ef_construction": 200, "ef_search": 32}
    assert (tmp_path / INDEX_FILE).exists()


def test_a_graph_that_misses_the_recall_falls_back_to_the_scan(tmp_path: Path) -> None:
    limits = IndexLimits(flat_budget_milliseconds=0.0, min_recall=1.01, must_be_faster=False)
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], limits, ignore)
    assert (chosen.kind, chosen.recall_at_10, list(tmp_path.iterdir())) == ("flat", 1.0, [])
    assert chosen.build_seconds > 0


def test_a_graph_that_is_no_faster_falls_back_to_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_milliseconds", lambda *_: 30.0)
    limits = IndexLimits(min_recall=0.0)
    chosen = build_index(tmp_path, normalise(random_vectors(500, 10))[0], limits, ignore)
    assert (chosen.kind, chosen.query_milliseconds, list(tmp_path.iterdir())) == ("flat", 30.0, [])


def test_the_graph_is_the_same_each_time(tmp_path: Path) -> None:
    unit_vectors = normalise(random_vectors(2000, 16))[0]
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build_index(tmp_path / name, unit_vectors, ALWAYS_GRAPH, ignore)
        contents.append((tmp_path / name / INDEX_FILE).read_bytes())
    assert contents[0] == contents[1]
