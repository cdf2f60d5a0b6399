"""What an algorithm is given besides the corpus, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.table.arrays import FloatArray
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.progress import Report


@dataclass(frozen=True)
class Trained:
    """What an algorithm gives back: float32 vectors (n_words, dim), and what the manifest says of the training."""

    vectors: FloatArray
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What an algorithm works with besides the corpus."""

    hyperparameters: dict[str, Any]
    scratch: Path
    report: Report
    checkpoints: Checkpoints | None
