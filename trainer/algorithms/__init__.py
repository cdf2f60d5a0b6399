"""The algorithms by name, as `app.core.hyperparameters.ALGORITHMS` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.algorithms.algorithm import Trained, Work
from trainer.algorithms.fasttext.training import train as train_fasttext
from trainer.algorithms.glove.training import train as train_glove
from trainer.algorithms.word2vec.training import train as train_word2vec

ALGORITHMS: dict[str, Callable[[Work, Any], Trained]] = {
    "word2vec": train_word2vec,
    "glove": train_glove,
    "fasttext": train_fasttext,
}
"""Each is given its own hyperparameters."""
