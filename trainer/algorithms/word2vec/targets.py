"""Where the output rows of a Word2Vec training come from."""

from __future__ import annotations

import numpy as np

from trainer.algorithms.word2vec.sampling import new_alias_table, noise_distribution
from trainer.kernels.word2vec.huffman import huffman_paths
from trainer.kernels.word2vec.layout import Targets
from trainer.steps.arrays import Integers


def new_targets(counts: Integers, n_negatives: int, exponent: float) -> Targets:
    """The noise distribution's alias table or, for hierarchical softmax (no negatives), Huffman paths."""
    alias_table, offsets = np.zeros((0, 2), np.uint32), np.zeros(0, np.int64)
    points, labels = np.zeros(0, np.int32), np.zeros(0, np.float32)
    if n_negatives:
        alias_table = new_alias_table(noise_distribution(counts, exponent))
    else:
        offsets, points, labels = huffman_paths(counts)
    return Targets(alias_table, offsets, points, labels)
