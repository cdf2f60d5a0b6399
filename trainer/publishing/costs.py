"""How long the steps of publishing will take on this machine, before there are vectors."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.core.nearest import exact
from trainer.publishing.candidates import PANEL
from trainer.publishing.index import IndexLimits
from trainer.publishing.neighbors import N_NEIGHBORS, n_covered
from trainer.steps.crew import Crew

NEIGHBOR_TABLE, GRAPH, FILES = "neighbor table", "graph", "files"
"""The steps of publishing."""

PAIR_PRODUCTS, WORD_PRODUCTS = 15, 400_000
"""To look at a pair's score takes as long as so many multiplications, to rank a word's candidates as so many."""
# Fitted to tables of 5,000 to 68,000 words x 100: in all 2.9 to 1.3 times the multiplications.
GRAPH_PRODUCTS = 90_000
"""A graph takes as long for each number of the table as so many multiplications on one core."""
# 108,000 and 70,000 for 20,000 words x 64 and 300.
FILE_BYTES_PER_SECOND = 300e6
"""Written, read for its digest, and put into storage."""
TRIED_BLOCKS, TRIALS = 20, 3
"""The size of a trial: some 20 ms for 100 dimensions; the fastest counts, the first one is mostly the slowest."""


def expected_seconds(n_words: int, dim: int, threads: int, limits: IndexLimits) -> dict[str | None, float]:
    """Seconds of each step, from counts of multiplications and this machine's speed, which is tried now.

    Parameters
    ----------
    n_words, dim : of the table
    threads : as for the neighbour table
    limits : what decides whether there will be a graph
    """
    return scaled(n_words, dim, limits, threads=threads, product_seconds=product_seconds(dim, threads))


def scaled(
    n_words: int, dim: int, limits: IndexLimits, *, threads: int, product_seconds: float
) -> dict[str | None, float]:
    """Seconds of each step where one multiplication takes `product_seconds` on all `threads` together."""
    covered = n_covered(n_words, dim)
    n_bytes = n_words * dim * 4 + covered * N_NEIGHBORS * 8
    n_pairs = covered * (n_words - covered / 2)
    products = n_pairs * (dim + PAIR_PRODUCTS) + covered * WORD_PRODUCTS
    seconds: dict[str | None, float] = {NEIGHBOR_TABLE: products * product_seconds}
    if limits.wants_graph(n_words * dim):
        seconds[GRAPH] = n_words * dim * GRAPH_PRODUCTS * product_seconds * threads
    return seconds | {FILES: n_bytes / FILE_BYTES_PER_SECOND}


def product_seconds(dim: int, threads: int) -> float:
    """Seconds of one multiplication on all threads together: each multiplies panels, as for the neighbour table."""
    rows, columns = np.random.default_rng(0).standard_normal((2, PANEL, dim), np.float32)
    scores = np.empty((threads, PANEL, PANEL), np.float32)

    def multiply(thread: int) -> None:
        for _ in range(TRIED_BLOCKS):
            np.matmul(rows, columns.T, out=scores[thread])

    with exact.one_thread_a_scan(), Crew(threads) as crew:
        seconds = min(_seconds(lambda: crew.on_each(multiply, range(threads))) for _ in range(TRIALS))
    return seconds / (threads * TRIED_BLOCKS * PANEL * PANEL * dim)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
