"""What the threads of a Word2Vec training have counted, and what is said of an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from trainer.kernels.word2vec.layout import KEPT, LOSS, LOSS_PREDICTIONS, PREDICTIONS, WINDOWS, Scratch


@dataclass(frozen=True)
class EpochResult:
    """One pass: losses in nats per prediction, and how many tokens were kept, windows and predictions trained."""

    loss: float
    held_out_loss: float
    n_kept: int
    n_windows: int
    n_predictions: int


class Tally:
    """What the threads have counted in the running epoch.

    Parameters
    ----------
    counts : the numbers of `kernels.word2vec.layout`, from KEPT on
    n_blocks : blocks that were trained
    """

    def __init__(self, counts: npt.ArrayLike = (0.0,) * 5, n_blocks: int = 0) -> None:
        self.counts = np.array(counts, np.float64)
        self.n_blocks = n_blocks
        self._lock = Lock()

    def add(self, scratch: Scratch, n_blocks: int) -> None:
        """Take over what a thread has counted in its scratch."""
        with self._lock:
            self.counts += scratch.tally
            self.n_blocks += n_blocks
        scratch.tally[:] = 0

    @property
    def loss(self) -> float | None:
        return float(self.counts[LOSS] / self.counts[LOSS_PREDICTIONS]) if self.counts[LOSS_PREDICTIONS] else None

    def result(self, held_out_loss: float) -> EpochResult:
        """What is said of the epoch at its end."""
        n_kept, n_windows, n_predictions = (int(self.counts[i]) for i in (KEPT, WINDOWS, PREDICTIONS))
        loss = held_out_loss if self.loss is None else self.loss
        return EpochResult(loss, held_out_loss, n_kept, n_windows, n_predictions)
