"""The exact nearest neighbours of the most frequent words, and what they say about hubs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.nearest import exact
from app.core.table.arrays import FloatArray, Neighbors
from app.core.table.quantised import UnitVectors
from app.core.table.vocabulary import Vocabulary
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, Report

N_NEIGHBORS = 50
ALWAYS_COVERED = 100_000
MOST_PRODUCTS = 1_500_000_000_000
"""Beyond `ALWAYS_COVERED` words, more are covered while covered words x words x dim stays below this."""
# About a minute on two cores.

HUB_NEIGHBORS = 10
N_HUBS = 10
BLOCK = 1024


def nearest_neighbors(unit_vectors: UnitVectors, *, threads: int, report: Report) -> Neighbors:
    """Compute the exact top `N_NEIGHBORS` of every word that the limits cover.

    Threads share the blocks; each row's result depends on its row alone, so it is the same for any number of threads.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous
    threads : how many share the blocks
    report : told how far it is

    Returns
    -------
    Neighbors, ids int32 and scores float32 (n_covered, min(50, n_words - 1))
    """
    covered = n_covered(*unit_vectors.shape)
    ids: list[npt.NDArray[np.int32]] = []
    found: list[FloatArray] = []

    def tell() -> None:
        report(Progress(fraction=min(len(ids) * BLOCK / covered, 1.0)))

    with exact.one_thread_a_scan(), Crew(threads, tell) as crew:
        for block_ids, block_scores in crew.in_order(
            lambda start: _block(unit_vectors, start), range(0, covered, BLOCK)
        ):
            ids.append(block_ids)
            found.append(block_scores)
    tell()
    return Neighbors(np.concatenate(ids), np.concatenate(found))


def n_covered(n_words: int, dim: int) -> int:
    """How many words the table covers, in whole blocks: a function of its size alone."""
    wanted = max(ALWAYS_COVERED, MOST_PRODUCTS // (n_words * dim))
    return min(n_words, -(-wanted // BLOCK) * BLOCK)


def _block(unit_vectors: UnitVectors, start: int) -> tuple[npt.NDArray[np.int32], FloatArray]:
    rows = np.arange(start, min(start + BLOCK, len(unit_vectors)))
    k = min(N_NEIGHBORS, len(unit_vectors) - 1)
    ids, found = exact.nearest_others(unit_vectors, rows, k)
    return ids.astype(np.int32), found.astype(np.float32)


def hubness(neighbors: Neighbors, vocabulary: Vocabulary) -> dict[str, Any]:
    """How unevenly words occur as neighbours (Radovanovic et al. 2010).

    Counts how often each word is among the `HUB_NEIGHBORS` nearest of a covered word; `skewness` is the third
    standardised moment of these counts over all words, 0 for an even spread.
    """
    n_words = len(vocabulary)
    occurrences = np.bincount(neighbors.ids[:, :HUB_NEIGHBORS].ravel(), minlength=n_words)
    centered = occurrences - occurrences.mean()
    deviation = float(np.sqrt((centered**2).mean()))
    top = np.lexsort((np.arange(n_words), -occurrences))[:N_HUBS]
    return {
        "k": min(HUB_NEIGHBORS, neighbors.ids.shape[1]),
        "skewness": round(float((centered**3).mean()) / deviation**3, 4) if deviation else 0.0,
        "never_a_neighbor": int(np.count_nonzero(occurrences == 0)),
        "hubs": [{"word": vocabulary.word(i), "count": int(occurrences[i])} for i in top.tolist() if occurrences[i]],
    }
