"""GloVe on an encoded corpus: count, then descend block by block; all arithmetic is in the kernels."""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import CorpusTooSmall, VectorsNotFinite, VocabularyTooSmall
from app.core.hyperparameters import GloVeHyperparameters
from trainer.algorithms.glove.cells import check_space, space_guard
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable, count
from trainer.algorithms.glove.grid import Grid, Integers, build_grid
from trainer.algorithms.glove.saved import History, Saved
from trainer.corpus.encode import EncodedCorpus
from trainer.kernels.glove.cells import CELL, Steps, block_kernel, initialise, row_width, total_cost
from trainer.kernels.hashing import key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.steps.checkpoint import Checkpoints, fingerprint
from trainer.steps.progress import Progress, Report, ignore

REPORT_SECONDS = 0.5
REFERENCE_CLIP = 100.0
LARGE_CORPUS_TOKENS = 10**9
ORDER = 3
"""A purpose of random keys; 1 is the held-out sample's, 2 the initial parameters'."""

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GloVeResult:
    """What training made.

    Parameters
    ----------
    vectors : float32 (n_words, dim), C-contiguous, in vocabulary order
    costs : mean of f(x) * (w . c + b + b' - log x)**2 over the trained cells, mirror images included, each cell's
        before its step; one an epoch that was run, resumed ones included. The C program prints half of this
    held_out_costs : the same over the cells held out, after each epoch; empty if the table is too small to hold out
    x_max : the count from which a cell weighs 1, as used
    n_cells : cells of the table, trained and held out, mirror images not counted
    epochs_run : passes over the cells
    stopped_early : whether the held-out cost ended it
    counting_seconds : from ids to cells that are sorted for training, in this process
    epoch_seconds : mean of the epochs that this process ran
    """

    vectors: Floats
    costs: tuple[float, ...]
    held_out_costs: tuple[float, ...]
    x_max: float
    n_cells: int
    epochs_run: int
    stopped_early: bool
    counting_seconds: float
    epoch_seconds: float


def train(
    corpus: EncodedCorpus,
    hyperparameters: GloVeHyperparameters,
    folder: Path,
    *,
    table: CooccurrenceTable | None = None,
    report: Report = ignore,
    checkpoints: Checkpoints | None = None,
) -> GloVeResult:
    """Count co-occurrences, using `folder` for what memory does not hold, and train vectors on them.

    A `table` that was counted before, with the same window and sides, is trained on as it is; `corpus.ids` and
    `min_cooccurrence` then play no part.

    The result is a function of corpus and hyperparameters: the same bits for any number of threads, any memory limit
    and any interruption that `checkpoints` bridge, on one type of processor. Words that occur near no other keep their
    random start. The parameters, 16 bytes for each word and dimension, come on top of `memory_limit_bytes`.

    Raises
    ------
    VocabularyTooSmall
        fewer than two words
    CorpusTooSmall
        no two words are near each other, or `min_cooccurrence` leaves no cell
    StorageFull
        `folder` has too little space for the table; nothing is left in it
    VectorsNotFinite
        training diverged; a lower learning rate helps
    """
    if len(corpus.vocabulary) < 2:
        raise VocabularyTooSmall("Training needs at least two different words.", n_words=len(corpus.vocabulary))
    if table is not None:
        counted, wanted = (table.window, table.symmetric), (hyperparameters.window, hyperparameters.symmetric)
        if counted != wanted or table.n_words != len(corpus.vocabulary):
            raise ValueError(f"the table was counted with (window, symmetric) {counted}, not {wanted}, or other words")
    return _Training(corpus, hyperparameters, folder, report).run(table, checkpoints)


def default_x_max(n_tokens: int, table: CooccurrenceTable) -> float:
    """10, as the authors' recipe of 2024 has it; 100, as their paper, from 10**9 tokens on.

    At most the table's largest count: a smaller corpus would otherwise train with tiny weights only.
    """
    largest = float(table.counts.max()) / table.unit
    return min(100.0 if n_tokens >= LARGE_CORPUS_TOKENS else 10.0, largest)


class _Training:
    def __init__(
        self, corpus: EncodedCorpus, hyperparameters: GloVeHyperparameters, folder: Path, report: Report
    ) -> None:
        self.corpus, self.chosen, self.folder, self.report = corpus, hyperparameters, folder, report
        self.threads = hyperparameters.threads or os.cpu_count() or 1
        self.counting_share = 1 / (1 + hyperparameters.epochs)
        self.history = History()
        self.last_report = 0.0

    def run(self, table: CooccurrenceTable | None, checkpoints: Checkpoints | None) -> GloVeResult:
        started = time.monotonic()
        saved = Saved(checkpoints, _identity(self.corpus, self.chosen), self.chosen.memory_limit_bytes // 2)
        table = table or saved.table or self._count()
        if table.n_cells == 0:
            raise CorpusTooSmall("No two words are near enough to each other, often enough, to be counted.")
        saved.keep(table)
        self.x_max = self.chosen.x_max or default_x_max(self.corpus.n_tokens, table)
        self.grid = self._build_grid(table)
        n_cells = table.n_cells
        del table  # its pages are memory
        self.history = saved.history
        self.parameters = self._first_parameters(saved.parameters)
        self.first_epoch, self.started = len(self.history.costs), time.monotonic()
        self._descend(saved)
        n_epochs = len(self.history.costs)
        return GloVeResult(
            vectors=self._vectors(),
            costs=tuple(self.history.costs),
            held_out_costs=tuple(self.history.held_out),
            x_max=self.x_max,
            n_cells=n_cells,
            epochs_run=n_epochs,
            stopped_early=self.history.has_stalled(self.chosen.stop_patience),
            counting_seconds=self.started - started,
            epoch_seconds=(time.monotonic() - self.started) / max(n_epochs - self.first_epoch, 1),
        )

    def _count(self) -> CooccurrenceTable:
        def report(progress: Progress) -> None:
            self.report(Progress(progress.fraction * self.counting_share))

        return count(self.corpus, self.chosen, self.folder, report=report)

    def _build_grid(self, table: CooccurrenceTable) -> Grid:
        weighting = (self.x_max, self.chosen.alpha)
        if table.n_cells * CELL.itemsize <= self.chosen.memory_limit_bytes // 2:
            return build_grid(table, weighting, self.chosen.seed, self.threads, None)
        home = self.folder / "grid"
        with space_guard(home):
            check_space(home, table.n_cells * CELL.itemsize, "The sorted co-occurrence table")
            return build_grid(table, weighting, self.chosen.seed, self.threads, home)

    def _first_parameters(self, saved: Floats | None) -> Floats:
        grid, dim = self.grid, self.chosen.dim
        parameters = aligned_rows(grid.n_stripes * grid.stripe_rows, row_width(dim))
        if saved is None:
            initialise(parameters, dim, self.chosen.seed)
        else:
            parameters[:] = saved
        return parameters

    def _descend(self, saved: Saved) -> None:
        chosen, history = self.chosen, self.history
        while len(history.costs) < chosen.epochs and not history.has_stalled(chosen.stop_patience):
            epoch = len(history.costs)
            history.costs.append(self._epoch(epoch))
            if not (np.isfinite(history.costs[-1]) and np.isfinite(self.parameters).all()):
                raise VectorsNotFinite(epoch=epoch + 1)
            if len(self.grid.held_out):
                history.held_out.append(self._held_out_cost())
            self._report(epoch + 1)
            saved.save_if_due(self.parameters, history)

    def _epoch(self, epoch: int) -> float:
        """Take one step for every cell, mirror images included; the mean cost."""
        grid, chosen = self.grid, self.chosen
        kernel = block_kernel(padded(chosen.dim))
        steps, key = _steps(chosen), key_of(chosen.seed, ORDER, epoch)
        stripes = self.parameters.reshape(grid.n_stripes, grid.stripe_rows, -1)

        def run(blocks: Integers) -> Floats64:
            costs = np.empty(len(blocks))
            kernel(stripes, grid.cells, grid.block_starts, blocks, steps, key, costs)
            return costs

        costs: list[Floats64] = []
        with ThreadPoolExecutor(self.threads) as executor:
            rounds = grid.rounds(np.random.default_rng([chosen.seed, epoch]), chosen.symmetric)
            n_rounds = grid.n_stripes * (2 if chosen.symmetric else 1)
            for n_done, groups in enumerate(rounds):
                if time.monotonic() - self.last_report >= REPORT_SECONDS:
                    self._report(epoch + n_done / n_rounds)
                costs += map(run, groups) if len(groups) == 1 else executor.map(run, groups)
        return math.fsum(map(math.fsum, costs)) / max(grid.n_records(chosen.symmetric), 1)

    def _held_out_cost(self) -> float:
        cost, n_records = total_cost(
            self.parameters, self.grid.held_out, self.grid.places(), self.chosen.dim, self.chosen.symmetric
        )
        return float(cost / n_records)

    def _vectors(self) -> Floats:
        dim, size, places = self.chosen.dim, padded(self.chosen.dim), self.grid.places()
        words, contexts = self.parameters[:, :dim], self.parameters[:, 2 * size : 2 * size + dim]
        if self.chosen.output == "word+context":
            return words[places] + contexts[places]
        return words[places] if self.chosen.output == "word" else contexts[places]

    def _report(self, epochs_done: float) -> None:
        """Tell how far training is, counting included, and what is known of the last epoch."""
        history, now = self.history, time.monotonic()
        self.last_report = now
        done = self.counting_share + (1 - self.counting_share) * epochs_done / self.chosen.epochs
        trained = epochs_done - self.first_epoch
        self.report(
            Progress(
                min(done, 1.0),
                tokens_per_second=self.corpus.n_tokens * trained / (now - self.started) if trained else None,
                loss=history.costs[-1] if history.costs else None,
                held_out_loss=history.held_out[-1] if history.held_out else None,
                epoch=int(epochs_done),
            )
        )


def _steps(chosen: GloVeHyperparameters) -> Steps:
    learning_rate = np.float32(chosen.initial_learning_rate)
    if chosen.glove_update == "reference":
        return Steps(scale=learning_rate, rate=np.float32(1), clip=np.float32(REFERENCE_CLIP))
    return Steps(scale=np.float32(1), rate=learning_rate, clip=np.finfo(np.float32).max)


def _identity(corpus: EncodedCorpus, chosen: GloVeHyperparameters) -> str:
    """What a checkpoint must share: what decides the result, the words' counts, and a sample of the ids."""
    sample = np.ascontiguousarray(corpus.ids[:: len(corpus.ids) // 2**18 + 1])
    decisive = chosen.model_dump_json(exclude={"threads", "memory_limit_bytes"})
    return fingerprint(decisive, f"glove {len(corpus.ids)}", corpus.vocabulary.counts, sample)
