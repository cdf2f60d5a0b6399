"""What chance decides before training starts: which words are kept how often, and where noise comes from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.kernels.word2vec.noise import fill_alias_table

MAX_DRAW = 2**32 - 1


def keep_probabilities(counts: npt.NDArray[np.int64], threshold: float) -> npt.NDArray[np.float64]:
    """The chance of each word's occurrences to be trained on, float64 (n_words,).

    With ``t`` the threshold and ``f`` the word's share of all tokens this is word2vec.c's ``sqrt(t / f) + t / f``,
    at most 1, and not the paper's ``sqrt(t / f)``, which keeps fewer. A threshold of 0 keeps everything.
    """
    if threshold == 0 or counts.sum() == 0:
        return np.ones(len(counts))
    ratio = threshold * counts.sum() / np.maximum(counts, 1)
    return np.asarray(np.minimum(1.0, np.sqrt(ratio) + ratio))


def keep_limits(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """The largest 32-bit draw that keeps an occurrence (word2vec.c draws 16 bits), uint32 (n_words,)."""
    return np.asarray(np.clip(np.rint(probabilities * 2.0**32) - 1, 0, MAX_DRAW), np.uint32)


def noise_distribution(counts: npt.NDArray[np.int64], exponent: float) -> npt.NDArray[np.float64]:
    """Each word's chance to be drawn as noise, ``count ** exponent`` normalised, float64 (n_words,)."""
    weights = np.maximum(counts, 1).astype(np.float64) ** exponent
    return np.asarray(weights / weights.sum())


def new_alias_table(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """The alias table of a distribution as the kernels read it, uint32 (n, 2)."""
    alias_table = np.empty((len(probabilities), 2), np.uint32)
    fill_alias_table(probabilities.copy(), alias_table, np.empty(len(probabilities), np.int64))
    return alias_table
