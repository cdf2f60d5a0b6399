"""Whether a Word2Vec training has come to anything."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import CorpusTooSmall, TrainingDiverged
from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.tally import EpochResult

DIVERGED = 1.1
"""So many times the untrained model's loss is more than chance: what diverges has it many times over."""


def check_descent(epochs: Sequence[EpochResult], untrained: float, chosen: Word2VecHyperparameters) -> None:
    """Vectors that are finite, but worse than none, are no result: raises `TrainingDiverged`."""
    loss = epochs[-1].held_out_loss if epochs else 0.0
    if loss > DIVERGED * untrained:
        rate = chosen.initial_learning_rate
        raise TrainingDiverged(
            f"Training diverged: the held-out loss is {loss:.4g} nats, an untrained model's {untrained:.4g}. "
            f"Lower learning_rate ({rate:g}) or window ({chosen.window}).",
            held_out_loss=loss,
            untrained_loss=untrained,
        )


def check_windows(epochs: Sequence[EpochResult], n_tokens: int, chosen: Word2VecHyperparameters) -> None:
    """Vectors that nothing has moved are no result, unless they were one before: raises `CorpusTooSmall`."""
    if any(epoch.n_windows for epoch in epochs):
        return
    n_kept = sum(epoch.n_kept for epoch in epochs)
    if n_kept < len(epochs) * n_tokens / 2:
        raise CorpusTooSmall(
            f"Subsampling left {n_kept} of {len(epochs) * n_tokens} tokens, none beside another; "
            f"set subsampling_threshold ({chosen.subsampling_threshold:g}) to 0.",
            n_kept=n_kept,
        )
    raise CorpusTooSmall("No word has another one beside it on its line.")
