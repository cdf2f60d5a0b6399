"""Whether a graph of all words is worth its time: graphs of some of them tell what it will find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.core.costs.publishing import TOGETHER, TRIED
from app.core.nearest import exact
from app.core.table.arrays import FloatArray
from app.core.table.limits import IndexLimits
from app.core.table.quantised import Quantised, UnitVectors
from trainer.publishing import graph
from trainer.publishing.grouping import nearest_of
from trainer.publishing.index import EF_SEARCH, recall, word_sample
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, Report, within

PARTS = (0.0, 0.2), (0.2, 1.0)
"""Of the time of both graphs."""
HARDLY = 0.002
"""Of the neighbours: 0.0012 more were found among 400,000 trained words than among every 16th of them."""
COMPARED = 0.99
"""The recall for which efforts are compared: nearer to 1, single words decide."""
GREATEST = EF_SEARCH[-1] // 2
"""Of efforts for that recall: 0.998 takes 2.5 to 5 times as much."""


def settled(unit_vectors: UnitVectors, limits: IndexLimits, report: Report, *, threads: int) -> IndexLimits:
    """Limits by which the table is scanned, if graphs of some of its words say that one of all would miss their recall.

    That is then not built. So it is with words that occurred too seldom to get neighbours. What has been quantised is
    always scanned, and a "graph" that was asked for is built whatever it misses.
    """
    if limits.requested != "auto" or not limits.wants_graph(unit_vectors.size):
        return limits
    if not isinstance(unit_vectors, Quantised) and _will_find_enough(unit_vectors, limits, report, threads):
        return limits
    return replace(limits, most_scanned=unit_vectors.size)


def _will_find_enough(unit_vectors: FloatArray, limits: IndexLimits, report: Report, threads: int) -> bool:
    """Whether a graph of a part of the words finds enough, and one of all can be expected to.

    What words need that have four times as many beside them tells of the latter: if the effort grows as much twice
    more, it must not become too great.
    """
    groups = _groups(unit_vectors, report, threads)
    fewer, more = (
        _recalls(unit_vectors[np.unique(groups[:: step // TRIED[-1]])], within(report, *part), threads)
        for step, part in zip(TRIED, PARTS, strict=True)
    )
    before, effort = _effort(fewer), _effort(more)
    return more[-1] >= limits.min_recall - HARDLY and effort * (effort / before) ** 2 <= GREATEST


def _groups(unit_vectors: FloatArray, report: Report, threads: int) -> npt.NDArray[np.int64]:
    """Words drawn evenly, each with those near to it: alone they would lack the neighbours that are found easily.

    Int64 (n, `TOGETHER`), or as many as there are words.
    """
    words = np.arange(0, len(unit_vectors), TRIED[-1] * TOGETHER)
    with exact.one_thread_a_scan(), Crew(threads, lambda: report(Progress(0.0))) as crew:
        near = nearest_of(unit_vectors, words, min(TOGETHER, len(unit_vectors)) - 1, crew)
    return np.column_stack([words, near])


def _recalls(unit_vectors: FloatArray, report: Report, threads: int) -> list[float]:
    """What a graph of these finds, at each effort."""
    index, sample, recalls = graph.build(unit_vectors, report, threads=threads), word_sample(unit_vectors), []
    for index.hnsw.efSearch in EF_SEARCH:
        recalls.append(recall(index, unit_vectors, sample))
    return recalls


def _effort(recalls: list[float]) -> float:
    """The efSearch that finds `COMPARED`, between those that were measured; beyond them the least or the greatest."""
    return float(2 ** np.interp(COMPARED, np.maximum.accumulate(recalls), np.log2(EF_SEARCH)))
