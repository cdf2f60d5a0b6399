"""How long a GloVe training will take, before its speed is measured."""

from __future__ import annotations

from app.core.hyperparameters import GloVeHyperparameters

COUNTING, EPOCHS = "co-occurrences", "epochs"
"""The steps of a GloVe training."""

PAIR_SECONDS = 1e-8
"""Of counting one pair of tokens, on one core."""
CELL_NUMBER_SECONDS = 1e-9
"""Of an epoch, for each cell and dimension, on one core."""
CELLS_A_PAIR = 0.3
"""Different pairs of words among the pairs of tokens; large texts have fewer."""


def expected_seconds(n_tokens: int, chosen: GloVeHyperparameters, threads: int) -> dict[str | None, float]:
    """Seconds of each step: all pairs of tokens within the window are counted, the different ones trained."""
    pairs = n_tokens * chosen.window
    sides = 2 if chosen.symmetric else 1
    epoch = pairs * CELLS_A_PAIR * sides * chosen.dim * CELL_NUMBER_SECONDS
    return {COUNTING: pairs * sides * PAIR_SECONDS / threads, EPOCHS: epoch * chosen.epochs / threads}
