"""How the threads of a Word2Vec training share the rows that all of them write (`kernels.word2vec.replicas`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.sampling import keep_probabilities, noise_distribution
from trainer.kernels.word2vec.layout import NO_PARTS, Parts, Targets

MOST_REPLICAS = 512
"""Rows of each table that every thread has for itself; more brought nothing."""
MOST_STEPS = 256
"""Windows that change a row, of all threads together, before its replicas are made one. Longer walks from one start,
added up, overshoot: with some 1,500 the loss on twenty words was 4 % higher than one thread's."""
NEVER = 1 << 40


def replication(
    counts: npt.NDArray[np.int64],
    targets: Targets,
    chosen: Word2VecHyperparameters,
    threads: int,
    parts: Parts = NO_PARTS,
) -> tuple[int, int]:
    """How many rows every thread has for itself, and how many of its windows lie between two merges."""
    if threads == 1:
        return 0, NEVER
    n_replicas = min(MOST_REPLICAS, len(counts) - 1)
    kept = counts * keep_probabilities(counts, chosen.subsampling_threshold)
    windows = kept / kept.sum()
    visits = np.bincount(parts.rows, np.repeat(windows, np.diff(parts.offsets))) if len(parts.rows) else windows
    input_steps = visits * (chosen.window + 1 if chosen.shrink_windows else 2 * chosen.window)
    if chosen.objective == "negative-sampling":
        output_steps = windows + chosen.n_negatives * noise_distribution(counts, chosen.noise_exponent)
    else:
        output_steps = np.bincount(targets.points, np.repeat(windows, np.diff(targets.offsets)))
    # row r is merged every (r + 1)-th time or sooner
    steps = max(float((np.arange(1, n_replicas + 1) * rows[:n_replicas]).max()) for rows in (input_steps, output_steps))
    return n_replicas, max(1, int(MOST_STEPS / (steps * threads)))
