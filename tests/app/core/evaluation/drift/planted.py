"""Two spaces of which it is known what changed between them."""

from __future__ import annotations

import numpy as np
from scipy.stats import ortho_group

from app.core.evaluation.drift.spaces import Space
from app.core.table.arrays import FloatArray
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.progress import ignore

N, DIM, N_CLUSTERS = 1000, 32, 50
SWAPPED = [(100 + 54 * i, 101 + 54 * i) for i in range(8)]
"""Ids of words that change places, all of different clusters."""
CHANGED = {f"w{i}" for pair in SWAPPED for i in pair}
WORDS = [f"w{i}" for i in range(N)]


def cluster_of(word: str) -> int:
    return int(word[1:]) % N_CLUSTERS


def counts_of(n: int) -> list[int]:
    return [100_000 // (rank + 1) + 60 for rank in range(n)]


def meaning(seed: int = 0) -> FloatArray:
    """Where words lie without noise: in clusters of 20; those of consecutive ids are others."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((N_CLUSTERS, DIM))
    return (centers[np.arange(N) % N_CLUSTERS] + 0.7 * rng.standard_normal((N, DIM))).astype(np.float32)


def learned(seed: int, *, dim: int = DIM, pairs: list[tuple[int, int]] | None = None) -> FloatArray:
    """What a training finds of it: with noise, and turned as each training turns it; pairs of words change places."""
    vectors = meaning()
    for a, b in pairs or []:
        vectors[[a, b]] = vectors[[b, a]]
    rng = np.random.default_rng(seed)
    noisy = np.pad(vectors + 0.15 * rng.standard_normal(vectors.shape), ((0, 0), (0, dim - DIM)))
    return np.asarray(noisy @ ortho_group.rvs(dim, random_state=seed), np.float32)


def space(vectors: FloatArray, words: list[str] | None = None, *, counts_known: bool = True) -> Space:
    unit = normalise(vectors.copy())[0]
    words = words or WORDS
    vocabulary = Vocabulary.from_words(words, counts_of(len(words)))
    return Space(vocabulary, counts_known, unit, nearest_neighbors(unit, threads=1, report=ignore))
