from __future__ import annotations

from typing import Any

import numpy as np

from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.sharing import MOST_REPLICAS, MOST_STEPS, NEVER, replication
from trainer.algorithms.word2vec.targets import new_targets


def of(counts: list[int], threads: int, **given: Any) -> tuple[int, int]:
    chosen = Word2VecHyperparameters.model_validate({"subsampling_threshold": 0.0, **given})
    array = np.array(counts)
    n_negatives = chosen.n_negatives if chosen.objective == "negative-sampling" else 0
    return replication(array, new_targets(array, n_negatives, chosen.noise_exponent), chosen, threads)


def test_a_thread_alone_shares_nothing() -> None:
    assert of([5] * 20, 1) == (0, NEVER)


def test_no_row_is_changed_more_often_between_two_merges_than_allowed() -> None:
    """20 equal words: a window changes each output row with a chance of (1 + 5) / 20, each input row of 4 / 20.

    Row 18 is the last replica and merged every 19th time at the latest.
    """
    assert of([5] * 20, 2, window=3) == (19, int(MOST_STEPS / (19 * 6 / 20) / 2))
    assert of([5] * 20, 8, window=3) == (19, int(MOST_STEPS / (19 * 6 / 20) / 8))
    assert of([5] * 20, 2, window=9) == (19, int(MOST_STEPS / (19 * 10 / 20) / 2)), "now the inputs change more often"


def test_every_window_changes_the_root_of_the_tree() -> None:
    assert of([8, 8], 2, objective="hierarchical-softmax", window=1) == (1, MOST_STEPS // 2)


def test_many_threads_merge_at_every_window_and_large_vocabularies_share_the_rest() -> None:
    n_replicas, merge_every = of([1000 // (i + 1) + 1 for i in range(5000)], 4096)
    assert (n_replicas, merge_every) == (MOST_REPLICAS, 1)
