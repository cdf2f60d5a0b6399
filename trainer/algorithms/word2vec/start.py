"""What a Word2Vec training starts from: tables, and where output rows come from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.sampling import alias_columns, noise_distribution
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.word2vec.huffman import huffman_paths
from trainer.kernels.word2vec.layout import Tables, Targets

TOKENS, NOISE, INITIAL = range(3)
"""Random keys are named (seed, purpose, epoch)."""


def new_targets(counts: npt.NDArray[np.int64], n_negatives: int, exponent: float) -> Targets:
    columns, offsets = np.zeros((0, 2), np.uint32), np.zeros(0, np.int64)
    points, labels = np.zeros(0, np.int32), np.zeros(0, np.float32)
    if n_negatives:
        columns = alias_columns(noise_distribution(counts, exponent))
    else:
        offsets, points, labels = huffman_paths(counts)
    return Targets(columns, offsets, points, labels)


def initial_tables(n_words: int, chosen: Word2VecHyperparameters) -> Tables:
    """Inputs uniform within half a unit over `dim`, outputs zero, as in word2vec.c (gensim 4's are twice as wide)."""
    inputs, outputs = (aligned_rows(n_words, padded(chosen.dim)) for _ in range(2))
    fill_uniform(inputs, chosen.dim, key_of(chosen.seed, INITIAL), 0.5 / chosen.dim)
    return Tables(inputs, outputs)
