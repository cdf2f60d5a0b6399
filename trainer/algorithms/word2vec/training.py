"""Word2Vec on an encoded corpus: blocks are handed to threads, epoch by epoch; all arithmetic is in the kernels."""

from __future__ import annotations

import os
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import CorpusTooSmall, VectorsNotFinite, VocabularyTooSmall
from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.sampling import keep_limits, keep_probabilities
from trainer.algorithms.word2vec.schedule import block_learning_rates, chunks
from trainer.algorithms.word2vec.sharing import replication
from trainer.algorithms.word2vec.start import NOISE, TOKENS, initial_tables, new_targets
from trainer.corpus.encode import EncodedCorpus
from trainer.kernels.hashing import key_of
from trainer.kernels.word2vec.blocks import block_kernel
from trainer.kernels.word2vec.layout import (
    KEPT,
    LOSS,
    LOSS_PREDICTIONS,
    PREDICTIONS,
    WINDOWS,
    Scratch,
    Stream,
    new_scratch,
)
from trainer.kernels.word2vec.windows import BLOCK
from trainer.steps.checkpoint import Checkpoints, Saver, fingerprint
from trainer.steps.progress import Progress, Report, ignore
from trainer.steps.soundness import check_vectors

REPORT_SECONDS = 0.5
LARGEST_CHUNK = 128
"""Blocks a thread takes at once: some 50 ms, so that all stop soon and Python's share stays unmeasurable."""
LOSS_EVERY = 128
"""One window in so many is measured: about 1 % of the time."""
HELD_OUT_BLOCKS = 16
TABLES_VERSION = 2
"""Changes when the rows of a checkpoint come to mean something else: 2 numbers the Huffman tree from its root."""
SAMPLE_EPOCH = 2**32
"""The held-out sample draws as an epoch of its own."""


@dataclass(frozen=True)
class EpochResult:
    """One pass: losses in nats per prediction, and how many tokens were kept, windows and predictions trained."""

    loss: float
    held_out_loss: float
    n_kept: int
    n_windows: int
    n_predictions: int


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What training made.

    Parameters
    ----------
    vectors : float32 (n_words, dim), C-contiguous, in vocabulary order
    epochs : one entry for each epoch that was run, before a resume or after
    tokens_per_second : of the corpus, those that subsampling drops included, in this process's share of the training
    stopped_early : whether the held-out loss ended it
    """

    vectors: npt.NDArray[np.float32]
    epochs: tuple[EpochResult, ...]
    tokens_per_second: float
    stopped_early: bool = False


def train(
    corpus: EncodedCorpus,
    hyperparameters: Word2VecHyperparameters,
    *,
    report: Report = ignore,
    checkpoints: Checkpoints | None = None,
) -> TrainingResult:
    """Train vectors for the corpus's vocabulary.

    Every kept token is the center of exactly one window an epoch. With one thread the result is a function of corpus
    and hyperparameters, also when resumed from `checkpoints`; more threads update shared rows without locks (Niu et
    al. 2011), the most visited ones by way of copies (see `sharing`), so that their results differ from run to run
    within the noise of a seed.

    The loss is the mean over predictions of their negative log-likelihood in nats, a prediction being one context row
    (CBOW: their mean) against its center and negatives, or against the center's whole Huffman path; it is measured on
    a sample of windows as they are trained. The held-out loss is measured after each epoch on windows and negatives
    that are the same every time; their own random draws are used for nothing else, but their text is trained on too.

    Raises
    ------
    VocabularyTooSmall
        fewer than two words: there is nothing to tell apart
    CorpusTooSmall
        no word has another beside it
    VectorsNotFinite, VectorsCollapsed
        training diverged, or all vectors became one; a lower learning rate or more text may help
    """
    if len(corpus.vocabulary) < 2:
        raise VocabularyTooSmall("Training needs at least two different words.", n_words=len(corpus.vocabulary))
    return _Training(corpus, hyperparameters, report, Saver(checkpoints)).run()


class _Tally:
    """What the threads have counted in the running epoch."""

    def __init__(self, counts: npt.ArrayLike = (0.0,) * 5, n_blocks: int = 0) -> None:
        self.counts = np.array(counts, np.float64)
        self.n_blocks = n_blocks
        self._lock = Lock()

    def add(self, scratch: Scratch, n_blocks: int) -> None:
        with self._lock:
            self.counts += scratch.tally
            self.n_blocks += n_blocks
        scratch.tally[:] = 0

    @property
    def loss(self) -> float | None:
        return float(self.counts[LOSS] / self.counts[LOSS_PREDICTIONS]) if self.counts[LOSS_PREDICTIONS] else None


class _Training:
    def __init__(
        self, corpus: EncodedCorpus, hyperparameters: Word2VecHyperparameters, report: Report, saver: Saver
    ) -> None:
        self.chosen, self.report, self.saver = hyperparameters, report, saver
        self.ids = _read_only(corpus.ids)
        self.counts = np.array(corpus.vocabulary.counts, np.int64)
        self.n_blocks = -(-len(self.ids) // BLOCK)
        self.tokens_per_block = corpus.n_tokens / max(self.n_blocks, 1)
        n_negatives = hyperparameters.n_negatives if hyperparameters.objective == "negative-sampling" else 0
        self.targets = new_targets(self.counts, n_negatives, hyperparameters.noise_exponent)
        self.keep = keep_limits(keep_probabilities(self.counts, hyperparameters.subsampling_threshold))
        self.tables = initial_tables(len(self.counts), hyperparameters)
        is_legacy = hyperparameters.cbow_gradient == "legacy"
        self.kernel = block_kernel(hyperparameters.architecture, hyperparameters.dim, n_negatives, is_legacy)
        n_threads = min(hyperparameters.threads or len(os.sched_getaffinity(0)), max(self.n_blocks, 1))
        longest = n_negatives + 1 if n_negatives else int(np.diff(self.targets.offsets).max())
        shape = hyperparameters.window, hyperparameters.dim, longest
        shared = replication(self.counts, self.targets, hyperparameters, n_threads)
        self.scratch = [new_scratch(*shape, *shared) for _ in range(n_threads)]
        self.identity = _identity(self.ids, self.counts, hyperparameters)
        self.epochs: list[EpochResult] = []
        self.tally = _Tally()
        self.n_blocks_here, self.seconds = 0, 0.0

    def run(self) -> TrainingResult:
        self.report(Progress(0.0, epoch=0))
        self.kernel(self._stream(0), self.targets, self.tables, self.scratch[0], 0, 0)  # compile
        self._resume()
        stops_early = self._is_stalled()
        with ThreadPoolExecutor(len(self.scratch), thread_name_prefix="word2vec") as pool:
            while len(self.epochs) < self.chosen.epochs and not stops_early:
                self._run_epoch(pool)
                stops_early = self._is_stalled()
        return TrainingResult(self._vectors(), tuple(self.epochs), self._tokens_per_second(), stops_early)

    def _run_epoch(self, pool: ThreadPoolExecutor) -> None:
        stream = self._stream(len(self.epochs))
        work = chunks(self.tally.n_blocks, self.n_blocks, len(self.scratch), LARGEST_CHUNK)
        while self.tally.n_blocks < self.n_blocks:
            self._run_until_save(pool, stream, work)
            self._save_if_due()
        n_kept, n_windows, n_predictions = (int(self.tally.counts[i]) for i in (KEPT, WINDOWS, PREDICTIONS))
        held_out_loss = self._held_out_loss()
        loss = self.tally.loss if self.tally.loss is not None else held_out_loss
        self.epochs.append(EpochResult(loss, held_out_loss, n_kept, n_windows, n_predictions))
        if not np.isfinite(held_out_loss):
            raise VectorsNotFinite
        self.tally = _Tally()
        self._tell()
        self._save_if_due()

    def _run_until_save(self, pool: ThreadPoolExecutor, stream: Stream, work: Any) -> None:
        """Let all threads take chunks of `work` until it ends or a save is due; on return all are idle."""
        lock = Lock()
        is_over = False

        def take() -> tuple[int, int] | None:
            with lock:
                return None if is_over else next(work, None)

        def run(scratch: Scratch) -> None:
            while chunk := take():
                self.kernel(stream, self.targets, self.tables, scratch, *chunk)
                self.tally.add(scratch, chunk[1] - chunk[0])

        start, blocks, seconds = time.monotonic(), self.n_blocks_here - self.tally.n_blocks, self.seconds
        futures: set[Future[None]] = {pool.submit(run, scratch) for scratch in self.scratch}
        try:
            while futures:
                done, futures = wait(futures, timeout=REPORT_SECONDS, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                self.n_blocks_here = blocks + self.tally.n_blocks
                self.seconds = seconds + time.monotonic() - start
                is_over = self.saver.is_due()
                self._tell()
        finally:
            is_over = True
            wait(futures)

    def _stream(self, epoch: int, *, is_sample: bool = False) -> Stream:
        chosen = self.chosen
        rates = (0.0, 0.0) if is_sample else (chosen.initial_learning_rate, chosen.final_learning_rate)
        keys = SAMPLE_EPOCH if is_sample else epoch
        return Stream(
            ids=self.ids,
            keep=self.keep,
            learning_rates=block_learning_rates(*rates, epoch, chosen.epochs, self.n_blocks),
            token_key=key_of(chosen.seed, TOKENS, keys),
            noise_key=key_of(chosen.seed, NOISE, keys),
            window=chosen.window,
            shrink_windows=chosen.shrink_windows,
            loss_every=1 if is_sample else LOSS_EVERY,
        )

    def _held_out_loss(self) -> float:
        """The loss of the sample, by the training kernel at a learning rate of zero, which changes nothing."""
        choose = np.random.Generator(np.random.PCG64(self.chosen.seed)).choice
        sample = choose(self.n_blocks, min(HELD_OUT_BLOCKS, self.n_blocks), replace=False)
        stream, tally = self._stream(0, is_sample=True), _Tally()
        for block in sorted(sample.tolist()):
            self.kernel(stream, self.targets, self.tables, self.scratch[0], block, block + 1)
            tally.add(self.scratch[0], 1)
        return tally.loss or 0.0

    def _is_stalled(self) -> bool:
        """Whether the last `stop_patience` epochs brought no held-out loss below the best before them."""
        patience, losses = self.chosen.stop_patience, [epoch.held_out_loss for epoch in self.epochs]
        if patience is None or len(losses) <= patience:
            return False
        return min(losses[-patience:]) >= min(losses[:-patience])

    def _vectors(self) -> npt.NDArray[np.float32]:
        if not any(epoch.n_windows for epoch in self.epochs):
            raise CorpusTooSmall("No word has another one beside it on its line.")
        dim = self.chosen.dim
        vectors = self.tables.inputs[:, :dim].copy()
        if self.chosen.output == "input+output":
            vectors += self.tables.outputs[:, :dim]
        check_vectors(vectors)
        return vectors

    def _tokens_per_second(self) -> float:
        return self.n_blocks_here * self.tokens_per_block / max(self.seconds, 1e-9)

    def _tell(self) -> None:
        done = len(self.epochs) + self.tally.n_blocks / max(self.n_blocks, 1)
        last = self.epochs[-1] if self.epochs else None
        loss = self.tally.loss if self.tally.loss is not None else (last.loss if last else None)
        held_out = last.held_out_loss if last else None
        epoch = min(len(self.epochs), self.chosen.epochs - 1)
        self.report(Progress(done / self.chosen.epochs, self._tokens_per_second(), loss, held_out, epoch))

    def _save_if_due(self) -> None:
        if self.saver.is_due():
            epochs = [asdict(epoch) for epoch in self.epochs]
            state = {"identity": self.identity, "epochs": epochs, "n_blocks": self.tally.n_blocks}
            self.saver.save({**self.tables._asdict(), "tally": self.tally.counts}, state)

    def _resume(self) -> None:
        arrays, state = self.saver.load(self.identity) or ({}, {})
        if not state:
            return
        self.tables.inputs[:], self.tables.outputs[:] = arrays["inputs"], arrays["outputs"]
        self.epochs = [EpochResult(**epoch) for epoch in state["epochs"]]
        self.tally = _Tally(arrays["tally"], state["n_blocks"])


def _read_only(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The same memory under one type, so that the kernels are compiled once, whether it is mapped or not."""
    view = np.asarray(ids).view()
    view.flags.writeable = False
    return view


def _identity(ids: npt.NDArray[np.int32], counts: npt.NDArray[np.int64], chosen: Word2VecHyperparameters) -> str:
    """What a checkpoint must share: all hyperparameters but the threads, the counts, and a sample of the ids."""
    sample = np.ascontiguousarray(ids[:: len(ids) // 2**18 + 1])
    numbers = f"{TABLES_VERSION} {BLOCK} {len(ids)}"
    return fingerprint(chosen.model_dump_json(exclude={"threads"}), numbers, counts, sample)
