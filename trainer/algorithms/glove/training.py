"""GloVe on an encoded corpus: count, then descend block by block; all arithmetic is in the kernels."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.core.costs.glove import COUNTING, EPOCHS
from app.core.errors import CorpusTooSmall, TrainingDiverged, VectorsNotFinite, VocabularyTooSmall
from app.core.history import Epoch
from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.arrays import FloatArray
from trainer.algorithms.algorithm import Start, Trained, Work, identity
from trainer.algorithms.glove.anchors import BIASES, CONTEXTS, WORDS, Anchors
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable, count
from trainer.algorithms.glove.grid import Grid, build_grid
from trainer.algorithms.glove.saved import Saved
from trainer.algorithms.glove.start import initialise
from trainer.kernels.glove.cells import CELL, Steps, cell_kernel, row_width, total_cost
from trainer.kernels.hashing import key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.steps.arrays import Doubles, Integers
from trainer.steps.checkpoint import Saver
from trainer.steps.crew import Crew
from trainer.steps.disk import check_space, fresh_folder
from trainer.steps.keys import GloVeKey
from trainer.steps.memory import check_memory
from trainer.steps.patience import is_stalled
from trainer.steps.progress import Progress

REFERENCE_CLIP = 100.0
SAMPLED_CELLS = 1_000_000
DIVERGED, LEAST_COST = 2.0, 0.1
"""A cost of so many times the untrained one is more than chance; counts of about 1 cost nothing untrained."""
LARGE_CORPUS_TOKENS = 10**9


def train(work: Work, chosen: GloVeHyperparameters, table: CooccurrenceTable | None = None) -> Trained:
    """Count co-occurrences, using the scratch folder for what memory does not hold, and train vectors on them.

    The result is a function of corpus and hyperparameters: the same bits for any number of threads, any memory limit
    and any interruption that checkpoints bridge, on one type of processor. Words that occur near no other keep their
    random start. The parameters, 16 bytes for each word and dimension, come on top of `memory_limit_bytes`.

    Parameters
    ----------
    work : Work
    chosen : GloVeHyperparameters
    table : one that was counted before, with the same window and sides, is trained on as it is; `corpus.ids` and
        `min_cooccurrence` then play no part

    Returns
    -------
    Trained, with the array "vectors" and these facts:
        costs, mean of f(x) * (w . c + b + b' - log x)**2 over the trained cells, mirror images included, each cell's
        before its step, one an epoch that was run, resumed ones included (the C program prints half of this);
        held_out_costs, the same over the cells held out, after each epoch, empty if the table is too small to hold
        out; history, the epochs as `app.core.history.Epoch`; x_max, the count from which a cell weighs 1, as used;
        n_cells, of the table, trained and held out, mirror images not counted; epochs_run, passes over the cells;
        stopped_early, whether the held-out cost ended it;
        counting_seconds, from ids to cells that are sorted for training, in this process; epoch_seconds, mean of the
        epochs that this process ran

    Raises
    ------
    VocabularyTooSmall
        fewer than two words
    CorpusTooSmall
        no two words are near each other, or `min_cooccurrence` leaves no cell
    MemoryShort
        the parameters and a copy of the vectors do not fit into memory
    StorageFull
        the scratch folder has too little space for the table; nothing is left in it
    VectorsNotFinite, TrainingDiverged
        the last cost is no number, or above the untrained one's; a lower learning rate helps
    """
    n_words = len(work.corpus.vocabulary)
    if n_words < 2:
        raise VocabularyTooSmall("Training needs at least two different words.", n_words=n_words)
    if table is not None and (table.counted != chosen.counted or table.n_words != n_words):
        raise ValueError(f"the table was counted with {table.counted}, not {chosen.counted}, or other words")
    check_memory((16 + 4) * n_words * chosen.dim, f"Training {n_words:,} words x {chosen.dim}")
    return _Training(work, chosen).run(table)


def default_x_max(n_tokens: int, table: CooccurrenceTable) -> float:
    """10, as the authors' recipe of 2024 has it; 100, as their paper, from 10**9 tokens on.

    At most the table's largest count: a smaller corpus would otherwise train with tiny weights only.

    Parameters
    ----------
    n_tokens : of the corpus
    table : CooccurrenceTable, read
    """
    largest = float(table.counts.max(initial=1)) / table.unit
    return min(100.0 if n_tokens >= LARGE_CORPUS_TOKENS else 10.0, largest)


class _Training:
    def __init__(self, work: Work, chosen: GloVeHyperparameters) -> None:
        self.work, self.chosen = work, chosen
        self.threads = chosen.threads or work.threads
        indecisive = {"threads", "memory_limit_bytes"}
        saver = Saver(work.checkpoints, identity(work, chosen, "glove", indecisive))
        self.saved = Saved(saver, chosen.memory_limit_bytes // 2)
        self.history = self.saved.history
        self.first_epoch = len(self.history.costs)
        self.anchors: Anchors | None = None

    def run(self, table: CooccurrenceTable | None) -> Trained:
        started = time.monotonic()
        table = table or self.saved.table or self._count()
        if table.n_cells == 0 and not self.work.start:
            raise CorpusTooSmall("No two words are near enough to each other, often enough, to be counted.")
        self.saved.keep(table)
        x_max = self.chosen.x_max or default_x_max(self.work.corpus.n_tokens, table)
        self.grid = self._build_grid(table, x_max)
        n_cells = table.n_cells
        del table  # its pages are memory
        self.started = time.monotonic()
        self._begin(self.saved.parameters)
        self._descend()
        self._check_descent()
        n_epochs = len(self.history.costs)
        facts = {
            "costs": self.history.costs,
            "held_out_costs": self.history.held_out,
            "history": self.history.epochs,
            "x_max": x_max,
            "n_cells": n_cells,
            "epochs_run": n_epochs,
            "stopped_early": self._is_stalled(),
            "counting_seconds": self.started - started,
            "epoch_seconds": (time.monotonic() - self.started) / max(n_epochs - self.first_epoch, 1),
        }
        is_kept = self.anchors.is_kept(self.parameters) if self.anchors else None
        return Trained({"vectors": self._vectors()}, facts, self._others(), is_kept)

    def _count(self) -> CooccurrenceTable:
        def report(progress: Progress) -> None:
            self.work.report(replace(progress, step=COUNTING))

        return count(replace(self.work, report=report), self.chosen)

    def _build_grid(self, table: CooccurrenceTable, x_max: float) -> Grid:
        weighting, n_bytes = (x_max, self.chosen.alpha), table.n_cells * CELL.itemsize
        if n_bytes <= self.chosen.memory_limit_bytes // 2:
            return build_grid(table, weighting, self.chosen.seed, self.threads, None)
        home = self.work.scratch / "grid"
        with fresh_folder(home):
            check_space(home, n_bytes, "The sorted co-occurrence table")
            return build_grid(table, weighting, self.chosen.seed, self.threads, home)

    def _begin(self, saved: FloatArray | None) -> None:
        """Set the parameters that the first epoch of this process begins with."""
        grid, dim, start = self.grid, self.chosen.dim, self.work.start
        self.parameters = aligned_rows(grid.n_stripes * grid.stripe_rows, row_width(dim))
        initialise(self.parameters, dim, self.chosen.seed)
        if start:
            self.anchors = Anchors(start, self.parameters, grid.places(), self.chosen)
            if not start.others and saved is None:
                self._refit(self.anchors, start)
        if saved is not None:
            self.parameters[:] = saved

    def _refit(self, anchors: Anchors, start: Start) -> None:
        """Fit what was not stored, for one epoch, to known vectors that stay where they are."""
        anchors.freeze(self.parameters, np.ones(len(start.ids), np.bool_))
        self._epoch(self.chosen.epochs, told=0)
        anchors.restore(self.parameters)

    def _descend(self) -> None:
        history = self.history
        while len(history.costs) < self.chosen.epochs and not self._is_stalled():
            epoch, started = len(history.costs), time.monotonic()
            history.costs.append(self._epoch(epoch, told=epoch))
            if self.anchors:
                self.anchors.hold(self.parameters)
            if not (np.isfinite(history.costs[-1]) and np.isfinite(self.parameters).all()):
                raise VectorsNotFinite(epoch=epoch + 1)
            if len(self.grid.held_out):
                history.held_out.append(self._held_out_cost())
            history.epochs.append(self._last_epoch(time.monotonic() - started).model_dump())
            self._report(epoch + 1, tuple(Epoch(**each) for each in history.epochs))
            self.saved.save_if_due(self.parameters, history)

    def _last_epoch(self, seconds: float) -> Epoch:
        history = self.history
        return Epoch(
            epoch=len(history.costs),
            loss=history.costs[-1],
            held_out_loss=history.held_out[-1] if history.held_out else None,
            learning_rate=self.chosen.initial_learning_rate,
            seconds=seconds,
            tokens_per_second=self.work.corpus.n_tokens / max(seconds, 1e-9),
        )

    def _check_descent(self) -> None:
        """Vectors that are finite, but worse than none, are no result; untrained ones have products of about 0."""
        cells = self.grid.cells[:: len(self.grid.cells) // SAMPLED_CELLS + 1]
        untrained = float((cells["weight"] * cells["log_count"].astype(np.float64) ** 2).mean()) if len(cells) else 0.0
        cost = self.history.costs[-1]
        if cost > DIVERGED * max(untrained, LEAST_COST):
            raise TrainingDiverged(
                f"Training diverged: the mean cost is {cost:.4g}, an untrained model's {untrained:.4g}. "
                f"Lower learning_rate ({self.chosen.initial_learning_rate:g}).",
                cost=cost,
                untrained_cost=untrained,
            )

    def _is_stalled(self) -> bool:
        return is_stalled(self.history.held_out, self.chosen.stop_patience)

    def _epoch(self, epoch: int, *, told: int) -> float:
        """Take one step for every cell, mirror images included; the mean cost. `told` is how far that is said to be."""
        grid, chosen = self.grid, self.chosen
        kernel = cell_kernel(padded(chosen.dim))
        steps, key = _steps(chosen), key_of(chosen.seed, GloVeKey.ORDER, epoch)
        stripes = self.parameters.reshape(grid.n_stripes, grid.stripe_rows, -1)
        n_rounds, n_done = grid.n_stripes * (2 if chosen.symmetric else 1), 0

        costs: list[Doubles] = []

        def run(groups: Iterator[Integers]) -> None:
            for blocks in groups:
                of_blocks = np.empty(len(blocks))
                kernel(stripes, grid.cells, grid.block_starts, blocks, steps, key, of_blocks)
                costs.append(of_blocks)

        with Crew(self.threads, lambda: self._report(told + n_done / n_rounds)) as crew:
            for groups in grid.rounds(np.random.default_rng([chosen.seed, epoch]), chosen.symmetric):
                left = iter(groups)  # each thread takes the next one that is left
                crew.on_each(run, [left] * self.threads)
                n_done += 1
        return math.fsum(itertools.chain.from_iterable(costs)) / max(grid.n_records(chosen.symmetric), 1)

    def _held_out_cost(self) -> float:
        cost, n_records = total_cost(
            self.parameters, self.grid.held_out, self.grid.places(), self.chosen.dim, self.chosen.symmetric
        )
        return float(cost / n_records)

    def _vectors(self) -> FloatArray:
        dim, size, places = self.chosen.dim, padded(self.chosen.dim), self.grid.places()
        words, contexts = self.parameters[:, :dim], self.parameters[:, 2 * size : 2 * size + dim]
        if self.chosen.output == "word+context":
            return words[places] + contexts[places]
        return words[places] if self.chosen.output == "word" else contexts[places]

    def _others(self) -> dict[str, FloatArray]:
        """What a training needs beside the vectors to go on from them."""
        size, rows = padded(self.chosen.dim), self.grid.places()
        first = {WORDS: 0, CONTEXTS: 2 * size, BIASES: 4 * size}
        widths = self.chosen.rows_beside.items()
        return {name: self.parameters[rows, first[name] : first[name] + width] for name, width in widths}

    def _report(self, epochs_done: float, ended: tuple[Epoch, ...] | None = None) -> None:
        """Tell how far training is, and what is known of the last epoch."""
        history, now = self.history, time.monotonic()
        trained = epochs_done - self.first_epoch
        self.work.report(
            Progress(
                min(epochs_done / self.chosen.epochs, 1.0),
                tokens_per_second=self.work.corpus.n_tokens * trained / (now - self.started) if trained else None,
                loss=history.costs[-1] if history.costs else None,
                held_out_loss=history.held_out[-1] if history.held_out else None,
                epoch=int(epochs_done),
                step=EPOCHS,
                history=ended,
            )
        )


def _steps(chosen: GloVeHyperparameters) -> Steps:
    learning_rate = np.float32(chosen.initial_learning_rate)
    if chosen.glove_update == "reference":
        return Steps(scale=learning_rate, rate=np.float32(1), clip=np.float32(REFERENCE_CLIP))
    return Steps(scale=np.float32(1), rate=learning_rate, clip=np.finfo(np.float32).max)
