"""How fast this machine multiplies, which says how long publishing will take before there are vectors."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.core.nearest import exact
from trainer.publishing.candidates import PANEL
from trainer.steps.crew import Crew

TRIED_BLOCKS, TRIALS = 5, 3
"""The size of a trial: some 3 ms for 100 dimensions; the fastest counts, the first one is mostly the slowest. Twenty
blocks found the same within some 5 % (by hand), and took every job 0.03 s more."""


def product_seconds(dim: int, threads: int) -> float:
    """Seconds of one multiplication of float32 on all threads together: each multiplies panels.

    The neighbour table multiplies integers, which take a share of it that `app.core.costs.publishing` knows.
    """
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
