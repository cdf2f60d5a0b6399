"""What a training pays for being observable and resumable: the loss, the held-out loss, checkpoints."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.hyperparameters import Word2VecHyperparameters
from benchmarks.rows import Row
from benchmarks.setup import Setup
from benchmarks.word2vec_cases import MODELS
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.input_rows import OneRowAWord
from trainer.algorithms.word2vec.training import Training
from trainer.kernels.word2vec.layout import Stream
from trainer.steps.checkpoint import COST_LIMIT, FolderCheckpoints
from trainer.steps.progress import ignore

SLICES, SLICE_BLOCKS = 400, 12


def overheads(setup: Setup, dim: int = 100) -> list[Row]:
    """Shares of the training time, one row each; slices of text with and without the loss take turns."""
    rows = []
    for model, parameters in MODELS.items():
        chosen = {**parameters, "dim": dim, "threads": 1}
        work = Work(setup.corpus, setup.folder, 1, ignore, None)
        rows_of_words = OneRowAWord(len(setup.corpus.vocabulary), dim)
        training = Training(work, Word2VecHyperparameters.model_validate(chosen), rows_of_words)
        with_loss = training.stream(0)
        streams = with_loss, with_loss._replace(loss_every=2**40)

        def train(stream: Stream, first: int, last: int, training: Training = training) -> None:
            training.kernel(stream, training.targets, training.tables, training.scratch[0], first, last)

        train(with_loss, 0, 0)  # compile
        seconds: list[list[float]] = [[], []]
        for i in range(SLICES):
            first = i // 2 * SLICE_BLOCKS
            which = (i + i // 2) % 2  # the same text for both, each of them first every other time
            seconds[which].append(_seconds(train, streams[which], first, first + SLICE_BLOCKS))
        loss = statistics.median(a / b for a, b in zip(seconds[0], seconds[1], strict=True)) - 1
        epoch = statistics.median(seconds[1]) / SLICE_BLOCKS * training.n_blocks / setup.threads
        rows.append(_row(f"{model}-loss", loss))
        rows.append(_row(f"{model}-held-out", _seconds(training.held_out_loss) / epoch))
    with tempfile.TemporaryDirectory() as folder:
        every_seconds = 60.0
        checkpoints = FolderCheckpoints(Path(folder), every_seconds)
        saving = _seconds(checkpoints.save, training.tables._asdict(), {})
    rows.append(_row("checkpoint", saving / max(every_seconds, saving / COST_LIMIT)))
    return rows


def _seconds(what: Callable[..., Any], *given: Any) -> float:
    start = time.perf_counter()
    what(*given)
    return time.perf_counter() - start


def _row(case: str, share: float) -> Row:
    print(f"{case:>24}  {100 * share:6.2f} % of the time", flush=True)
    return Row(f"cost-{case}", 100 * share, "percent")
