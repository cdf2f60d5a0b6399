"""How far steps go, in what order, and how work is cut: functions of settings and the corpus, never of threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Word2VecHyperparameters


def block_learning_rates(start: float, end: float, epoch: int, epochs: int, n_blocks: int) -> npt.NDArray[np.float32]:
    """The learning rate of each block of one epoch, float32 (n_blocks,).

    Falls linearly from `start` at the first block of epoch 0 towards `end` after the last of epoch ``epochs - 1``.
    The reference programs count tokens in racing threads instead; here a block's rate depends on its place alone, the
    place being that in the order of its epoch.
    """
    done = (epoch * n_blocks + np.arange(n_blocks, dtype=np.float64)) / (epochs * n_blocks)
    return np.asarray(start + (end - start) * done, np.float32)


def block_order(chosen: Word2VecHyperparameters, epoch: int, n_blocks: int) -> npt.NDArray[np.int64]:
    """The blocks of one epoch in the order in which they are trained, int64 (n_blocks,): CBOW shuffles them.

    The reference programs read a text as it stands, so that what is written at its end weighs more than its beginning.
    Skip-gram gains nothing that can be told from noise, loses time and the demo's queen (benchmarks/README.md).
    """
    if chosen.architecture == "skip-gram":
        return np.arange(n_blocks)
    return np.random.default_rng([chosen.seed, epoch]).permutation(n_blocks)


def context_shares(gradient: str, window: int) -> npt.NDArray[np.float32]:
    """What each of n context rows takes of the gradient of their mean (CBOW), float32 (2 * window + 1,), by n.

    The derivative by one of them is its n-th part (`exact`); word2vec.c and gensim give each the whole (`legacy`), with
    which wide windows step much further than narrow ones. `root` is between them: of n rows with like gradients
    the mean moves as far as each, and of independent ones their sum has the same length for every n.
    """
    exponent = {"exact": 1.0, "root": 0.5, "legacy": 0.0}[gradient]
    n_rows = np.maximum(np.arange(2 * window + 1), 1)
    return np.asarray(n_rows**-exponent, np.float32)


def chunks(first: int, n_blocks: int, threads: int, largest: int) -> Iterator[tuple[int, int]]:
    """Cut blocks ``first..n_blocks - 1`` into runs, in order, ever smaller so that threads finish together."""
    while first < n_blocks:
        size = max(1, min(largest, (n_blocks - first) // (4 * threads)))
        yield first, first + size
        first += size
