"""Word2Vec on an encoded corpus: blocks are handed to threads, epoch by epoch; all arithmetic is in the kernels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from threading import Lock
from typing import Any

import numpy as np

from app.core.errors import VectorsNotFinite, VocabularyTooSmall
from app.core.history import Epoch
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.arrays import FloatArray
from trainer.algorithms.algorithm import Start, Trained, Work, identity
from trainer.algorithms.word2vec.anchors import OUTPUT_VECTORS, Anchors
from trainer.algorithms.word2vec.input_rows import InputRows, OneRowAWord
from trainer.algorithms.word2vec.outcome import check_descent, check_windows
from trainer.algorithms.word2vec.sampling import keep_limits, keep_probabilities
from trainer.algorithms.word2vec.schedule import block_learning_rates, block_order, chunks, context_shares
from trainer.algorithms.word2vec.sharing import replication
from trainer.algorithms.word2vec.tally import EpochResult, Tally
from trainer.algorithms.word2vec.targets import new_targets
from trainer.kernels.hashing import key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.word2vec.blocks import block_kernel
from trainer.kernels.word2vec.layout import Scratch, Stream, Tables, new_scratch
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS
from trainer.steps.arrays import Integers, read_only
from trainer.steps.checkpoint import Saver
from trainer.steps.crew import Crew
from trainer.steps.keys import SAMPLE_EPOCH, Word2VecKey
from trainer.steps.memory import check_memory
from trainer.steps.patience import is_stalled
from trainer.steps.progress import Progress, within

LARGEST_CHUNK = 128
"""Blocks a thread takes at once: some 50 ms, so that all stop soon and Python's share stays unmeasurable."""
LOSS_EVERY = 128
"""One window in so many is measured: about 1 % of the time."""
LARGEST_HELD_CHUNK = 16
"""The same where known words are held near their place, which is done after each chunk."""
HELD_OUT_BLOCKS = 16
N_COPIES = 3
"""Tables of words x dim in memory at a time: input and output rows, and the vectors that are published."""
N_COPIES_OF_START = 4
"""The same of a training that goes on: what it goes on from, and the anchors."""
TABLES_FORM = {"skip-gram": 2, "cbow": 3}
"""Changes when a checkpoint comes to mean something else: 2 numbers the Huffman tree from its root, 3 shuffles."""


def train(work: Work, chosen: Word2VecHyperparameters) -> Trained:
    """Train vectors for the corpus's vocabulary.

    Every kept token is the center of exactly one window an epoch; CBOW shuffles the corpus's blocks. With one
    thread the result is a function of corpus and hyperparameters, also when resumed from a checkpoint; more threads
    update shared rows without locks (Niu et al. 2011), the most visited ones by way of copies (see `sharing`), so that
    their results differ from run to run within the noise of a seed.

    The loss is the mean over predictions of their negative log-likelihood in nats, a prediction being one context row
    (CBOW: their mean) against its center and negatives, or against the center's whole Huffman path; it is measured on
    a sample of windows as they are trained. The held-out loss is measured after each epoch on windows and negatives
    that are the same every time; their own random draws are used for nothing else, but their text is trained on too.

    Parameters
    ----------
    work : Work; its scratch folder stays empty
    chosen : Word2VecHyperparameters

    Returns
    -------
    Trained, with the array "vectors" and these facts:
        epochs, one `EpochResult` for each that was run, before a resume or after; history, the same as
        `app.core.history.Epoch`; tokens_per_second, of the corpus, those that subsampling drops included, in this
        process's share of the training; stopped_early, whether the held-out loss ended it

    Raises
    ------
    VocabularyTooSmall
        fewer than two words: there is nothing to tell apart
    CorpusTooSmall
        no word has another beside it
    MemoryShort
        the tables and a copy of the vectors do not fit into memory
    VectorsNotFinite, TrainingDiverged
        the last held-out loss is no number, or above the untrained one's; a lower learning rate helps
    """
    n_words = len(work.corpus.vocabulary)
    if n_words < 2:
        raise VocabularyTooSmall("Training needs at least two different words.", n_words=n_words)
    n_copies = N_COPIES + (N_COPIES_OF_START if work.start else 0)
    check_memory(n_copies * n_words * padded(chosen.dim) * 4, f"Training {n_words:,} words x {chosen.dim}")
    return training_of(work, chosen, OneRowAWord(n_words, chosen.dim)).run()


def training_of(work: Work, chosen: Word2VecHyperparameters, rows: InputRows) -> Training:
    """One that begins by chance, or with what it goes on from; output rows that were not kept are fitted before."""
    outputs = None
    if work.start and not work.start.others:
        first = 1 / (1 + chosen.epochs)
        if _saver(work, chosen).load() is None:
            outputs = _refitted(replace(work, report=within(work.report, 0.0, first)), work.start, chosen, rows)
        work = replace(work, report=within(work.report, first, 1.0))
    return Training(work, chosen, rows, outputs)


def _refitted(work: Work, start: Start, chosen: Word2VecHyperparameters, rows: InputRows) -> FloatArray:
    """The output rows that one epoch gives to known words which stay where they are."""
    rate = chosen.default_learning_rate(chosen.model_dump())
    once = {"epochs": 1, "stop_patience": None, "learning_rate": rate, "min_learning_rate": rate * 1e-4}
    held = replace(start, is_frozen=np.ones(len(start.ids), np.bool_), name=f"{start.name} refitted")
    training = Training(replace(work, start=held), chosen.model_copy(update=once), rows)
    training.run()
    return training.tables.output_vectors


def _saver(work: Work, chosen: Word2VecHyperparameters) -> Saver:
    form = f"word2vec {TABLES_FORM[chosen.architecture]} {BLOCK_POSITIONS}"
    return Saver(work.checkpoints, identity(work, chosen, form, {"threads"}))


class Training:
    """One training; its result is that of `run`. `outputs` are what output rows start with, if not with zeros."""

    def __init__(
        self, work: Work, chosen: Word2VecHyperparameters, rows: InputRows, outputs: FloatArray | None = None
    ) -> None:
        corpus = work.corpus
        self.start, self.outputs = work.start, outputs
        self.anchors: Anchors | None = None
        self.chosen, self.rows, self.report = chosen, rows, work.report
        self.ids = read_only(corpus.ids)
        counts = np.array(corpus.vocabulary.counts, np.int64)
        self.n_blocks = -(-len(self.ids) // BLOCK_POSITIONS)
        self.n_tokens, self.tokens_per_block = corpus.n_tokens, corpus.n_tokens / max(self.n_blocks, 1)
        n_negatives = chosen.n_negatives if chosen.objective == "negative-sampling" else 0
        self.targets = new_targets(counts, n_negatives, chosen.noise_exponent)
        self.keep = keep_limits(keep_probabilities(counts, chosen.subsampling_threshold))
        self.tables = Tables(rows.initial(chosen.seed), aligned_rows(len(counts), padded(chosen.dim)), *rows.parts)
        self.kernel = block_kernel(chosen.architecture, chosen.dim, n_negatives)
        self.scratch = self._new_scratch(counts, min(chosen.threads or work.threads, max(self.n_blocks, 1)))
        self.saver = _saver(work, chosen)
        self.epochs: list[EpochResult] = []
        self.history: list[Epoch] = []
        self.tally, self.n_blocks_here, self.seconds = Tally(), 0, 0.0

    def _new_scratch(self, counts: Integers, threads: int) -> list[Scratch]:
        chosen, targets = self.chosen, self.targets
        is_path = chosen.objective == "hierarchical-softmax"
        longest = int(np.diff(targets.offsets).max()) if is_path else chosen.n_negatives + 1
        shared = replication(counts, targets, chosen, threads, self.rows.parts)
        max_parts = int(np.diff(self.rows.parts.offsets).max(initial=0))
        return [new_scratch(chosen.window, chosen.dim, longest, *shared, max_parts) for _ in range(threads)]

    def run(self) -> Trained:
        """Train from the start, or from a checkpoint that fits, to the end."""
        self.report(Progress(0.0, epoch=0))
        self.kernel(self.stream(0), self.targets, self.tables, self.scratch[0], 0, 0)  # compile
        untrained = self.held_out_loss()
        if self.start:
            is_sum = self.chosen.output == "input+output"
            self.anchors = Anchors(self.start, self.tables, self.rows, self.outputs, is_sum=is_sum)
        self._resume()
        while self.n_blocks and len(self.epochs) < self.chosen.epochs and not self._is_stalled():
            self._run_epoch()
        check_descent(self.epochs, untrained, self.chosen)
        facts = self._facts() | {"tokens_per_second": self._tokens_per_second(), "stopped_early": self._is_stalled()}
        others = {OUTPUT_VECTORS: self.tables.output_vectors[:, : self.chosen.dim]}
        is_kept = self.anchors.is_kept(self.tables) if self.anchors else None
        return Trained({"vectors": self._vectors()}, facts, others, is_kept)

    def _facts(self) -> dict[str, Any]:
        epochs, history = map(asdict, self.epochs), (epoch.model_dump() for epoch in self.history)
        return {"epochs": list(epochs), "history": list(history)}

    def _run_epoch(self) -> None:
        stream = self.stream(len(self.epochs))
        blocks_before, seconds_before = self.n_blocks_here, self.seconds
        largest = LARGEST_HELD_CHUNK if self.anchors else LARGEST_CHUNK
        work = chunks(self.tally.n_blocks, self.n_blocks, len(self.scratch), largest)
        while self.tally.n_blocks < self.n_blocks:
            self._run_until_save(stream, work)
            self._save_if_due()
        if self.anchors:
            self.anchors.restore(self.tables)
        held_out_loss = self.held_out_loss()
        self.epochs.append(self.tally.result(held_out_loss))
        if not np.isfinite(held_out_loss):
            raise VectorsNotFinite
        self.tally = Tally()
        self._remember(self.n_blocks_here - blocks_before, self.seconds - seconds_before, stream)
        self._tell(tuple(self.history))
        self._save_if_due()

    def _remember(self, n_blocks: int, seconds: float, stream: Stream) -> None:
        """Add the epoch that has ended, of which this process has trained so many blocks, to the history."""
        self.history.append(
            Epoch(
                epoch=len(self.epochs),
                loss=self.epochs[-1].loss,
                held_out_loss=self.epochs[-1].held_out_loss,
                learning_rate=float(stream.learning_rates[0]),
                seconds=seconds,
                tokens_per_second=n_blocks * self.tokens_per_block / max(seconds, 1e-9),
            )
        )

    def _run_until_save(self, stream: Stream, work: Iterator[tuple[int, int]]) -> None:
        """Let all threads take chunks of `work` until it ends or a save is due; on return all are idle."""
        lock = Lock()
        start, blocks, seconds = time.monotonic(), self.n_blocks_here - self.tally.n_blocks, self.seconds

        def take() -> tuple[int, int] | None:
            with lock:
                return None if crew.is_stopping else next(work, None)

        def run(scratch: Scratch) -> None:
            while chunk := take():
                self.kernel(stream, self.targets, self.tables, scratch, *chunk)
                if self.anchors:
                    self.anchors.hold(stream, self.tables, *chunk)
                self.tally.add(scratch, chunk[1] - chunk[0])

        def tick() -> None:
            self.n_blocks_here = blocks + self.tally.n_blocks
            self.seconds = seconds + time.monotonic() - start
            if self.saver.is_due():
                crew.stop()
            self._tell()

        with Crew(len(self.scratch), tick) as crew:
            crew.on_each(run, self.scratch)
            tick()

    def stream(self, epoch: int, *, is_sample: bool = False) -> Stream:
        """What an epoch reads; the held-out sample draws as an epoch of its own, at a learning rate of zero."""
        chosen = self.chosen
        rates = (0.0, 0.0) if is_sample else (chosen.initial_learning_rate, chosen.final_learning_rate)
        keys = SAMPLE_EPOCH if is_sample else epoch
        return Stream(
            ids=self.ids,
            keep=self.keep,
            order=block_order(chosen, epoch, self.n_blocks),
            learning_rates=block_learning_rates(*rates, epoch, chosen.epochs, self.n_blocks),
            token_key=key_of(chosen.seed, Word2VecKey.TOKENS, keys),
            noise_key=key_of(chosen.seed, Word2VecKey.NOISE, keys),
            window=chosen.window,
            shrink_windows=chosen.shrink_windows,
            loss_every=1 if is_sample else LOSS_EVERY,
            context_shares=context_shares(chosen.cbow_gradient or "exact", chosen.window),
        )

    def held_out_loss(self) -> float:
        """The loss of the sample, by the training kernel at a learning rate of zero, which changes nothing."""
        random = np.random.Generator(np.random.PCG64(self.chosen.seed))
        sample = random.choice(self.n_blocks, min(HELD_OUT_BLOCKS, self.n_blocks), replace=False)
        stream, tally = self.stream(0, is_sample=True), Tally()
        for block in sorted(sample.tolist()):
            self.kernel(stream, self.targets, self.tables, self.scratch[0], block, block + 1)
            tally.add(self.scratch[0], 1)
        return tally.loss or 0.0

    def _is_stalled(self) -> bool:
        return is_stalled([epoch.held_out_loss for epoch in self.epochs], self.chosen.stop_patience)

    def _vectors(self) -> FloatArray:
        if not self.start:
            check_windows(self.epochs, self.n_tokens, self.chosen)
        vectors = self.rows.vectors(self.tables.input_vectors)
        if self.chosen.output == "input+output":
            vectors += self.tables.output_vectors[:, : self.chosen.dim]
        return vectors

    def _tokens_per_second(self) -> float:
        return self.n_blocks_here * self.tokens_per_block / max(self.seconds, 1e-9)

    def _tell(self, history: tuple[Epoch, ...] | None = None) -> None:
        done = len(self.epochs) + self.tally.n_blocks / max(self.n_blocks, 1)
        loss, held_out = (self.epochs[-1].loss, self.epochs[-1].held_out_loss) if self.epochs else (None, None)
        loss = loss if self.tally.loss is None else self.tally.loss
        epoch = min(len(self.epochs), self.chosen.epochs - 1)
        fraction, speed = done / self.chosen.epochs, self._tokens_per_second()
        self.report(Progress(fraction, speed, loss, held_out, epoch, history=history))

    def _save_if_due(self) -> None:
        if self.saver.is_due():
            state = self._facts() | {"n_blocks": self.tally.n_blocks}
            rows = {"input_vectors": self.tables.input_vectors, "output_vectors": self.tables.output_vectors}
            self.saver.save(rows | {"tally": self.tally.counts}, state)

    def _resume(self) -> None:
        arrays, state = self.saver.load() or ({}, {})
        if not state:
            return
        self.tables.input_vectors[:], self.tables.output_vectors[:] = arrays["input_vectors"], arrays["output_vectors"]
        self.epochs = [EpochResult(**epoch) for epoch in state["epochs"]]
        self.history = [Epoch(**epoch) for epoch in state.get("history", [])]  # older checkpoints have none
        self.tally = Tally(arrays["tally"], state["n_blocks"])
