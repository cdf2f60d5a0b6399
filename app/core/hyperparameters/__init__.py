"""What a job may set, one model an algorithm."""

from __future__ import annotations

from app.core.hyperparameters.fasttext import FastTextHyperparameters
from app.core.hyperparameters.glove import GloVeHyperparameters
from app.core.hyperparameters.shared import Hyperparameters
from app.core.hyperparameters.word2vec import PRESETS, Word2VecHyperparameters

ALGORITHMS: dict[str, type[Hyperparameters]] = {
    "word2vec": Word2VecHyperparameters,
    "glove": GloVeHyperparameters,
    "fasttext": FastTextHyperparameters,
}
"""The one list of algorithms, each with what a job may set."""

__all__ = [
    "ALGORITHMS",
    "PRESETS",
    "FastTextHyperparameters",
    "GloVeHyperparameters",
    "Hyperparameters",
    "Word2VecHyperparameters",
]
