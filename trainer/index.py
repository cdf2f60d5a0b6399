"""Choose how a table is searched by measuring it: a scan while that is fast, else a graph that proves its recall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from app.core import exact
from app.core.table import INDEX_FILE, FloatArray, IndexDescription
from trainer.progress import Progress, Report

FLAT_BUDGET_MILLISECONDS = 25.0
"""A scan that answers one query within this on one thread is used, because it is exact."""
MIN_RECALL = 0.99
LINKS = 32
EF_CONSTRUCTION = 200
EF_SEARCH = (32, 64, 128, 256, 512, 1024)

K = 10
N_TIMED = 15
N_RECALL_QUERIES = 500
ADDED_AT_A_TIME = 5_000


@dataclass(frozen=True)
class IndexLimits:
    """What decides the choice; tests and odd machines set their own."""

    flat_budget_milliseconds: float = FLAT_BUDGET_MILLISECONDS
    min_recall: float = MIN_RECALL
    must_be_faster: bool = True


@dataclass(frozen=True, eq=False)
class _Sample:
    """Words to measure with and their exact neighbours; int64 (n,) and (n, K)."""

    word_ids: npt.NDArray[np.int64]
    nearest: npt.NDArray[np.int64]


def build_index(folder: Path, unit_vectors: FloatArray, limits: IndexLimits, report: Report) -> IndexDescription:
    """Measure, choose, and write ``index.faiss`` into `folder` if the choice needs a file.

    HNSW (Malkov and Yashunin 2018) is built on one thread, so that the same vectors give the same graph, and searched
    with the smallest efSearch whose recall@10 against the exact answer reaches `limits.min_recall` on words drawn
    from the whole vocabulary. If none does, or none is faster than the scan, the scan it is.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous
    """
    faiss.omp_set_num_threads(1)
    sample = _sample(unit_vectors)
    with exact.one_thread_a_scan():
        flat_milliseconds = _milliseconds(lambda query: _scan(query, unit_vectors), unit_vectors[sample.word_ids])
    flat = IndexDescription(kind="flat", recall_at_10=1.0, build_seconds=0.0, query_milliseconds=flat_milliseconds)
    if flat_milliseconds <= limits.flat_budget_milliseconds:
        return flat
    started = time.monotonic()
    index = _build(unit_vectors, report)
    build_seconds = round(time.monotonic() - started, 3)
    for ef_search in EF_SEARCH:
        index.hnsw.efSearch = ef_search
        recall = _recall(index, unit_vectors, sample)
        if recall >= limits.min_recall:
            milliseconds = _milliseconds(lambda query: index.search(query, K + 1), unit_vectors[sample.word_ids])
            if limits.must_be_faster and milliseconds >= flat_milliseconds:
                break
            faiss.write_index(index, str(folder / INDEX_FILE))
            return IndexDescription(
                kind="hnsw",
                parameters={"links": LINKS, "ef_construction": EF_CONSTRUCTION, "ef_search": ef_search},
                recall_at_10=round(recall, 4),
                build_seconds=build_seconds,
                query_milliseconds=milliseconds,
            )
    return flat.model_copy(update={"build_seconds": build_seconds})


def _sample(unit_vectors: FloatArray) -> _Sample:
    n_words = len(unit_vectors)
    word_ids = np.linspace(0, n_words - 1, min(N_RECALL_QUERIES, n_words)).astype(np.int64)
    found, _ = exact.nearest(unit_vectors, unit_vectors[word_ids].astype(np.float64), min(K + 1, n_words))
    return _Sample(word_ids, found)


def _scan(query: FloatArray, unit_vectors: FloatArray) -> None:
    exact.nearest(unit_vectors, query.astype(np.float64), min(K + 1, len(unit_vectors)))


def _build(unit_vectors: FloatArray, report: Report) -> faiss.IndexHNSWFlat:
    index = faiss.IndexHNSWFlat(unit_vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    for start in range(0, len(unit_vectors), ADDED_AT_A_TIME):
        index.add(unit_vectors[start : start + ADDED_AT_A_TIME])
        report(Progress(fraction=index.ntotal / len(unit_vectors)))
    return index


def _milliseconds(search: Callable[[FloatArray], object], queries: FloatArray) -> float:
    """Median time of one query."""
    seconds = []
    for i in range(N_TIMED):
        query = queries[i % len(queries) : i % len(queries) + 1]
        started = time.perf_counter()
        search(query)
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds) * 1e3, 3)


def _recall(index: faiss.IndexHNSWFlat, unit_vectors: FloatArray, sample: _Sample) -> float:
    """Share of the exact `K` neighbours, the word itself left out, that the index finds."""
    _, found = index.search(unit_vectors[sample.word_ids], sample.nearest.shape[1])
    hits = total = 0
    for word_id, nearest, approximate in zip(sample.word_ids, sample.nearest, found, strict=True):
        wanted = set(nearest.tolist()) - {int(word_id)}
        hits += len(wanted & set(approximate.tolist()))
        total += len(wanted)
    return hits / total if total else 1.0
