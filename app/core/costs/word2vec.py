"""How long a Word2Vec training will take, before its speed is measured."""

from __future__ import annotations

from app.core.hyperparameters import Word2VecHyperparameters

PRODUCT_SECONDS = 4e-10
"""Of a context row with an output row, for each dimension, on one core."""
TOKEN_SECONDS = 1e-7
PATH_ROWS = 14
"""Output rows of an average Huffman path."""


def expected_seconds(n_tokens: int, chosen: Word2VecHyperparameters, threads: int) -> dict[str | None, float]:
    """Seconds of the only step: each token's window is a product of context rows and output rows."""
    context_rows = 1.0 if chosen.architecture == "cbow" else chosen.window * (1.0 if chosen.shrink_windows else 2.0)
    output_rows = chosen.n_negatives + 1 if chosen.objective == "negative-sampling" else PATH_ROWS
    token_seconds = TOKEN_SECONDS + context_rows * output_rows * chosen.dim * PRODUCT_SECONDS
    return {None: n_tokens * chosen.epochs * token_seconds / threads}
