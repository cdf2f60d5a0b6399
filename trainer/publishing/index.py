"""Choose how a table is searched, by counts alone: a scan while it is small, else a graph that proves its recall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from app.core.nearest import exact
from app.core.table.limits import IndexLimits
from app.core.table.manifest import INDEX_FILE, GraphSearch, IndexDescription
from app.core.table.quantised import Quantised, UnitVectors
from trainer.publishing import graph
from trainer.publishing.grouping import evenly
from trainer.steps.progress import Progress, Report

EF_SEARCH = (16, 32, 64, 128, 256, 512, 1024)

K = 10
N_TIMED = 15
FETCHED = 16
"""Candidates that the service takes from the graph for ten answers, and scores exactly."""
N_RECALL_QUERIES = 500

Directions = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Queries to measure with.

    Parameters
    ----------
    directions : float32 (n, dim), each of length 1
    asked : int64 (n, m), the words that they are made of, which are no answers
    nearest : int64 (n, K), the exact answers; fewer if there are no more words
    """

    directions: Directions
    asked: Ids
    nearest: Ids


def build_index(
    folder: Path,
    unit_vectors: UnitVectors,
    limits: IndexLimits,
    report: Report,
    *,
    threads: int,
    parameters: graph.Parameters = graph.LINKED,
) -> IndexDescription:
    """Choose, and write ``index.faiss`` into `folder` if the choice needs a file.

    The choice is a function of vectors and limits: times are measured and told, and decide nothing. "auto" scans tables
    of up to `limits.most_scanned` numbers. For larger ones a graph is built, from the same vectors the same one for any
    number of threads, and searched with the smallest efSearch whose recall@10 against the exact answer reaches
    `limits.min_recall` on words drawn from the whole vocabulary; if none does, scans answer.
    The same is then asked for sums a - b + c of words: they lie where the graph has few links, so that often only scans
    answer them. "graph" takes the best effort where none is enough.

    Parameters
    ----------
    folder : local folder
    unit_vectors : float32 (n_words, dim), C-contiguous, or quantised: those are always scanned
    limits : what decides the choice
    report : called while a graph is built and measured
    threads : how many build it
    parameters : by which a graph is built
    """
    if isinstance(unit_vectors, Quantised) or not limits.wants_graph(unit_vectors.size):
        return _scanned(unit_vectors, limits, 0.0)
    started = time.monotonic()
    index = graph.build(unit_vectors, report, threads=threads, parameters=parameters)
    build_seconds = round(time.monotonic() - started, 3)
    for_words = _sufficient(index, unit_vectors, word_sample(unit_vectors), limits, report)
    if for_words is None:
        return _scanned(unit_vectors, limits, build_seconds)
    # the vectors are in the table already
    faiss.write_index(index, str(folder / INDEX_FILE), faiss.IO_FLAG_SKIP_STORAGE)  # type: ignore[call-overload] # the stubs lack it
    return IndexDescription(
        kind="hnsw",
        requested=limits.requested,
        parameters={**parameters, "ef_search": for_words.ef_search},
        recall_at_10=for_words.recall_at_10,
        build_seconds=build_seconds,
        query_milliseconds=for_words.query_milliseconds,
        sums=_sufficient(index, unit_vectors, sum_sample(unit_vectors), limits, report),
    )


def _scanned(unit_vectors: UnitVectors, limits: IndexLimits, build_seconds: float) -> IndexDescription:
    """Scans answer; `build_seconds` went into a graph that found too little."""
    words = unit_vectors[evenly(len(unit_vectors), N_TIMED)]
    with exact.one_thread_a_scan():
        milliseconds = _milliseconds(lambda queries: _scan(queries, unit_vectors), words)
    return IndexDescription(
        kind="flat",
        requested=limits.requested,
        recall_at_10=1.0,
        build_seconds=build_seconds,
        query_milliseconds=milliseconds,
    )


def word_sample(unit_vectors: UnitVectors) -> Sample:
    """Words from the whole vocabulary, evenly by rank."""
    return _sample(unit_vectors, evenly(len(unit_vectors), N_RECALL_QUERIES)[:, None])


def sum_sample(unit_vectors: UnitVectors) -> Sample:
    """Sums a - b + c of words drawn evenly, always the same ones."""
    return _sample(unit_vectors, np.random.default_rng(1).integers(0, len(unit_vectors), (N_RECALL_QUERIES, 3)))


def _sample(unit_vectors: UnitVectors, asked: Ids) -> Sample:
    signs = np.array([1.0, -1.0, 1.0])[: asked.shape[1], None]
    sums = (unit_vectors[asked].astype(np.float64) * signs).sum(axis=1)
    lengths = np.sqrt((sums * sums).sum(axis=1))
    directions, asked = sums[lengths > 0] / lengths[lengths > 0, None], asked[lengths > 0]
    found, _ = exact.nearest(unit_vectors, directions, min(K + asked.shape[1], len(unit_vectors)))
    return Sample(directions.astype(np.float32), asked, _without(found, asked))


def _without(found: Ids, asked: Ids) -> Ids:
    """The first `K` of each row that are not asked for; -1 where there are fewer."""
    is_answer = (found[:, :, None] != asked[:, None, :]).all(axis=2) & (found >= 0)
    order = np.argsort(~is_answer, axis=1, kind="stable")[:, :K]
    return np.where(np.take_along_axis(is_answer, order, axis=1), np.take_along_axis(found, order, axis=1), -1)


def _scan(queries: Directions, unit_vectors: UnitVectors) -> None:
    exact.nearest(unit_vectors, queries.astype(np.float64), min(K + 1, len(unit_vectors)))


def _sufficient(
    index: faiss.IndexHNSW, unit_vectors: UnitVectors, sample: Sample, limits: IndexLimits, report: Report
) -> GraphSearch | None:
    """The least effort that finds enough; where none does, nothing, or the best if a graph is what was asked for."""
    recalls: dict[int, float] = {}
    for ef_search in EF_SEARCH:
        report(Progress(fraction=1.0))
        index.hnsw.efSearch = ef_search
        recalls[ef_search] = recall(index, unit_vectors, sample)
        if recalls[ef_search] >= limits.min_recall:
            break
    best = max(recalls, key=recalls.__getitem__)
    if recalls[best] < limits.min_recall and limits.requested != "graph":
        return None
    index.hnsw.efSearch = best
    milliseconds = _milliseconds(lambda query: index.search(query, FETCHED), sample.directions)
    return GraphSearch(ef_search=best, recall_at_10=round(recalls[best], 4), query_milliseconds=milliseconds)


def _milliseconds(search: Callable[[Directions], object], directions: Directions) -> float:
    """Median time of one query alone."""
    seconds = []
    for i in range(N_TIMED):
        start = i % len(directions)
        started = time.perf_counter()
        search(directions[start : start + 1])
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds) * 1e3, 3)


def recall(index: faiss.IndexHNSW, unit_vectors: UnitVectors, sample: Sample) -> float:
    """Share of the exact answers that are found when the candidates are scored exactly, as the service does it."""
    _, candidates = index.search(sample.directions, FETCHED)
    queries, places = np.nonzero(candidates >= 0)
    directions, n_best = sample.directions.astype(np.float64), K + sample.asked.shape[1]
    found, _ = exact.best(unit_vectors, directions, queries, candidates[queries, places], n_best)
    answers = _without(found, sample.asked)
    is_found = (sample.nearest[:, :, None] == answers[:, None, :]).any(axis=2)
    n_answers = int(np.count_nonzero(sample.nearest >= 0))
    return float(np.count_nonzero(is_found & (sample.nearest >= 0))) / n_answers if n_answers else 1.0
