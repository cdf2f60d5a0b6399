from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from app.core.table.manifest import INDEX_FILE
from app.core.table.reading import open_table
from app.serving.index import open_index
from tests.published import ALWAYS_GRAPH, random_vectors, write_version
from trainer.publishing import graph
from trainer.steps.progress import ignore

N_WORDS, DIM = 3000, 20


def test_a_graph_searches_the_vectors_of_the_table_in_place(tmp_path: Path) -> None:
    """It finds what an index with vectors of its own finds, and its file has none."""
    write_version(tmp_path, [f"w{i}" for i in range(N_WORDS)], random_vectors(N_WORDS, DIM), limits=ALWAYS_GRAPH)
    table = open_table(tmp_path)
    index = open_index(table)
    whole = graph.build(np.ascontiguousarray(table.unit_vectors[:]), ignore, threads=2)
    whole.hnsw.efSearch = 16
    asked = table.unit_vectors[:200]
    _, expected = whole.search(asked, 16)
    assert index.for_words is not None
    ids, _ = index.nearest(asked.astype(np.float64), 16, index.for_words)
    assert [set(row) for row in ids.tolist()] == [set(row) for row in expected.tolist()]
    faiss.write_index(whole, str(tmp_path / "whole"))
    saved = (tmp_path / "whole").stat().st_size - (tmp_path / INDEX_FILE).stat().st_size
    assert abs(saved - N_WORDS * DIM * 4) < 100


def test_an_index_that_is_dropped_leaves_the_table_alone(tmp_path: Path) -> None:
    write_version(tmp_path, [f"w{i}" for i in range(500)], random_vectors(500, DIM), limits=ALWAYS_GRAPH)
    table = open_table(tmp_path)
    before = table.unit_vectors[:].copy()
    for _ in range(20):
        index = open_index(table)
        index.nearest(before[:5].astype(np.float64), 10, index.for_words)
        del index
    np.testing.assert_array_equal(table.unit_vectors[:], before)
