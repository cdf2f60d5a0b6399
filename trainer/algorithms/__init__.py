"""The algorithms by name, as `app.core.hyperparameters.ALGORITHMS` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.algorithms.algorithm import Trained, Work
from trainer.algorithms.fasttext import costs as fasttext_costs
from trainer.algorithms.fasttext.training import train as train_fasttext
from trainer.algorithms.glove import costs as glove_costs
from trainer.algorithms.glove.training import train as train_glove
from trainer.algorithms.word2vec import costs as word2vec_costs
from trainer.algorithms.word2vec.training import train as train_word2vec

ALGORITHMS: dict[str, Callable[[Work, Any], Trained]] = {
    "word2vec": train_word2vec,
    "glove": train_glove,
    "fasttext": train_fasttext,
}
"""Each is given its own hyperparameters."""
EXPECTED: dict[str, Callable[[int, Any, int], dict[str | None, float]]] = {
    "word2vec": word2vec_costs.expected_seconds,
    "glove": glove_costs.expected_seconds,
    "fasttext": fasttext_costs.expected_seconds,
}
"""Seconds of each step of a training, from tokens, hyperparameters and threads; its measured speed corrects them."""
