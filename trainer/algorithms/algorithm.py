"""What an algorithm works with, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Hyperparameters
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import Checkpoints, fingerprint
from trainer.steps.progress import Report


@dataclass(frozen=True)
class Work:
    """What an algorithm works with.

    Parameters
    ----------
    corpus : what it learns from
    scratch : an existing folder for what memory does not hold
    threads : how many it may use, where its hyperparameters do not say
    report : called about twice a second
    checkpoints : where it saves its state and looks for one, if anywhere
    """

    corpus: EncodedCorpus
    scratch: Path
    threads: int
    report: Report
    checkpoints: Checkpoints | None


@dataclass(frozen=True, eq=False)
class Trained:
    """What an algorithm gives back.

    Parameters
    ----------
    arrays : by name: "vectors", float32 (n_words, dim), C-contiguous, in vocabulary order; and what it adds of its own
    facts : what the manifest says of the training, as JSON has it
    """

    arrays: dict[str, npt.NDArray[Any]]
    facts: dict[str, Any]


def identity(corpus: EncodedCorpus, chosen: Hyperparameters, form: str, indecisive: set[str]) -> str:
    """What a checkpoint must share with the training that goes on from it.

    Parameters
    ----------
    corpus : its words' counts count, and a sample of its ids
    chosen : all hyperparameters count but the `indecisive` ones
    form : changes when the arrays of a checkpoint come to mean something else
    indecisive : names of hyperparameters that do not change the result
    """
    ids = corpus.ids
    sample = np.ascontiguousarray(ids[:: len(ids) // 2**18 + 1])
    numbers = f"{form} {len(ids)}"
    return fingerprint(chosen.model_dump_json(exclude=indecisive), numbers, corpus.vocabulary.counts, sample)
