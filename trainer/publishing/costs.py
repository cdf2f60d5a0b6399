"""How long the steps of publishing will take on this machine, before there are vectors."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.core.nearest import exact
from app.core.table.writing import normalise
from trainer.publishing.index import IndexLimits
from trainer.publishing.neighbors import N_NEIGHBORS, n_covered
from trainer.steps.crew import Crew

NEIGHBOR_TABLE, GRAPH, FILES = "neighbor table", "graph", "files"
"""The steps of publishing."""

GRAPH_PRODUCTS = 25_000
"""A graph takes as long for each number of the table as so many multiplications of the neighbour table."""
# 15,000 to 33,000 on one core for 30,000 words x 64 to 300.
FILE_BYTES_PER_SECOND = 300e6
"""Written, read for its digest, and put into storage."""
TRIED_WORDS, TRIED_ROWS, TRIALS = 1 << 16, 128, 3
"""The size of a trial: some 70 ms for 100 dimensions; the fastest counts, the first one is mostly the slowest."""
# 4.0e-11 s a product beside 3.7e-11 to 4.1e-11 of whole tables of 60,000 and 90,000 words; a single trial with half the
# words had said 4.5e-11 to 8.2e-11.


def expected_seconds(n_words: int, dim: int, threads: int, limits: IndexLimits) -> dict[str | None, float]:
    """Seconds of each step, from counts of multiplications and this machine's speed, which is tried now.

    Parameters
    ----------
    n_words, dim : of the table
    threads : as for the neighbour table
    limits : what decides whether there will be a graph
    """
    return scaled(n_words, dim, limits, threads=threads, product_seconds=product_seconds(n_words, dim, threads))


def scaled(
    n_words: int, dim: int, limits: IndexLimits, *, threads: int, product_seconds: float
) -> dict[str | None, float]:
    """Seconds of each step where one multiplication takes `product_seconds` on all `threads` together."""
    covered = n_covered(n_words, dim)
    n_bytes = n_words * dim * 4 + covered * N_NEIGHBORS * 8
    seconds: dict[str | None, float] = {NEIGHBOR_TABLE: covered * n_words * dim * product_seconds}
    if limits.wants_graph(n_words * dim):
        seconds[GRAPH] = n_words * dim * GRAPH_PRODUCTS * product_seconds * threads
    return seconds | {FILES: n_bytes / FILE_BYTES_PER_SECOND}


def product_seconds(n_words: int, dim: int, threads: int) -> float:
    """Seconds of one multiplication on all threads together: each searches a small random table, as publishing does."""
    n_words = min(n_words, TRIED_WORDS)
    unit_vectors, _ = normalise(np.random.default_rng(0).standard_normal((n_words, dim), np.float32))
    directions = unit_vectors[:TRIED_ROWS].astype(np.float64)

    def search(_: int) -> None:
        exact.nearest(unit_vectors, directions, min(N_NEIGHBORS + 1, n_words))

    with exact.one_thread_a_scan(), Crew(threads) as crew:
        search(0)  # the first one pays for memory and libraries
        seconds = min(_seconds(lambda: crew.on_each(search, range(threads))) for _ in range(TRIALS))
    return seconds / (threads * len(directions) * n_words * dim)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
