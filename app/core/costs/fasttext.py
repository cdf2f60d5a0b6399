"""How long a fastText training will take, before its speed is measured."""

from __future__ import annotations

from app.core.costs import word2vec
from app.core.hyperparameters import FastTextHyperparameters

ROW_SECONDS = 3e-10
"""To read a row of an n-gram or to add to it, for each dimension, on one core."""
CHARACTERS = 8
"""Of an average token with its marks; subsampling leaves out short ones."""


def expected_seconds(n_tokens: int, chosen: FastTextHyperparameters, threads: int) -> dict[str | None, float]:
    """Seconds of the only step: what Word2Vec needs, and each token's rows are read once and added to once."""
    n_rows = 1 + sum(max(0, CHARACTERS + 1 - size) for size in range(chosen.min_n, chosen.max_n + 1))
    rows = n_tokens * chosen.epochs * 2 * n_rows * chosen.dim * ROW_SECONDS / threads
    return {step: each + rows for step, each in word2vec.expected_seconds(n_tokens, chosen, threads).items()}
