"""What an algorithm works with, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Hyperparameters
from app.core.table.arrays import Arrays, FloatArray
from app.core.table.parts import Parts
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.arrays import Integers
from trainer.steps.checkpoint import Checkpoints, fingerprint
from trainer.steps.progress import Report


@dataclass(frozen=True, eq=False)
class Start:
    """What a training goes on from: words that are known already.

    Parameters
    ----------
    ids : int64 (n_known,), which words of the corpus's vocabulary they are
    shares : float32 (n_known,), of all occurrences of each that have been learnt before
    vectors : float32 (n_known, dim), as they were published
    others : what the algorithm keeps beside them, by name, a row for each known word; None where that was not stored
    is_frozen : bool (n_known,), whose vectors stay as they are
    anchor_strength : how strongly the others are held near their place
    name : a digest of all this
    parts : what other words were composed of, if of anything
    """

    ids: Integers
    shares: FloatArray
    vectors: FloatArray
    others: Arrays | None
    is_frozen: npt.NDArray[np.bool_]
    anchor_strength: float
    name: str
    parts: Parts | None = None


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
    start : what it goes on from, if not from chance
    """

    corpus: EncodedCorpus
    scratch: Path
    threads: int
    report: Report
    checkpoints: Checkpoints | None
    start: Start | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What an algorithm gives back.

    Parameters
    ----------
    arrays : by name: "vectors", float32 (n_words, dim), C-contiguous, in vocabulary order; and what it adds of its own
    facts : what the manifest says of the training, as JSON has it
    others : what another training needs beside the vectors to go on from them, a row for each word
    is_kept : bool (n_words,), known words whose vectors are those of the start, bit for bit; None without one
    parts : what words are composed of that the vocabulary lacks, if anything
    """

    arrays: dict[str, npt.NDArray[Any]]
    facts: dict[str, Any]
    others: dict[str, FloatArray] = field(default_factory=dict)
    is_kept: npt.NDArray[np.bool_] | None = None
    parts: Parts | None = None

    def must_stay(self, start: Start) -> bool:
        """Whether to turn the vectors would move words that were frozen, or a table that has not moved at all."""
        return bool(start.is_frozen.any()) or (self.is_kept is not None and bool(self.is_kept[start.ids].all()))


def identity(work: Work, chosen: Hyperparameters, form: str, indecisive: set[str]) -> str:
    """What a checkpoint must share with the training that goes on from it.

    Parameters
    ----------
    work : of its corpus the words' counts count, and a sample of the ids; its start counts, too
    chosen : all hyperparameters count but the `indecisive` ones
    form : changes when the arrays of a checkpoint come to mean something else
    indecisive : names of hyperparameters that do not change the result
    """
    ids = work.corpus.ids
    sample = np.ascontiguousarray(ids[:: len(ids) // 2**18 + 1])
    numbers = f"{form} {len(ids)}" + (f" from {work.start.name}" if work.start else "")
    return fingerprint(chosen.model_dump_json(exclude=indecisive), numbers, work.corpus.vocabulary.counts, sample)
