"""The algorithms by name: corpus and setting in, vectors out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import to_jsonable_python

from app.core.hyperparameters import GloVeHyperparameters, Word2VecHyperparameters
from trainer.algorithms.algorithm import Setting, Trained
from trainer.algorithms.glove.training import train as train_glove
from trainer.algorithms.word2vec.training import train as train_word2vec
from trainer.corpus.encode import EncodedCorpus


def _train_word2vec(corpus: EncodedCorpus, setting: Setting) -> Trained:
    hyperparameters = Word2VecHyperparameters.model_validate(setting.hyperparameters)
    result = train_word2vec(corpus, hyperparameters, report=setting.report, checkpoints=setting.checkpoints)
    return _trained(result)


def _train_glove(corpus: EncodedCorpus, setting: Setting) -> Trained:
    hyperparameters = GloVeHyperparameters.model_validate(setting.hyperparameters)
    result = train_glove(
        corpus, hyperparameters, setting.scratch, report=setting.report, checkpoints=setting.checkpoints
    )
    return _trained(result)


def _trained(result: Any) -> Trained:
    said = {name: value for name, value in vars(result).items() if name != "vectors"}
    return Trained(result.vectors, to_jsonable_python(said))


ALGORITHMS: dict[str, Callable[[EncodedCorpus, Setting], Trained]] = {
    "word2vec": _train_word2vec,
    "glove": _train_glove,
}
