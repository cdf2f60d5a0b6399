"""The kernels against the oracle, and the oracle against differences of its own loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.oracles import word2vec as oracle
from trainer.algorithms.word2vec.sampling import new_alias_table, noise_distribution
from trainer.algorithms.word2vec.schedule import context_shares
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.word2vec.blocks import block_kernel
from trainer.kernels.word2vec.huffman import huffman_paths
from trainer.kernels.word2vec.layout import (
    KEPT,
    LOSS,
    LOSS_PREDICTIONS,
    PREDICTIONS,
    WINDOWS,
    Stream,
    Tables,
    Targets,
    new_scratch,
)
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS

Matrix = npt.NDArray[np.float64]


@dataclass
class Case:
    """A small corpus with all that both sides need to train on it."""

    architecture: str
    dim: int
    n_negatives: int
    gradient: str = "exact"
    window: int = 3
    n_words: int = 40
    n_positions: int = BLOCK_POSITIONS + 300
    rate: float = 0.2
    n_replicas: int = 0

    def __post_init__(self) -> None:
        generator = np.random.default_rng(self.dim)
        raw = np.minimum(generator.zipf(1.4, self.n_positions) - 1, self.n_words - 1)
        self.counts = np.sort(np.bincount(raw, minlength=self.n_words) + 1)[::-1].astype(np.int64)
        self.ids = raw.astype(np.int32)
        self.ids[generator.random(self.n_positions) < 0.05] = -1
        self.keep = np.linspace(0.5, 1.0, self.n_words) * (2**32 - 1)
        n_blocks = -(-self.n_positions // BLOCK_POSITIONS)
        self.rates = np.linspace(self.rate, self.rate / 2, n_blocks).astype(np.float32)
        self.targets = Targets(new_alias_table(noise_distribution(self.counts, 0.75)), *huffman_paths(self.counts))
        self.tables = Tables(aligned_rows(self.n_words, padded(self.dim)), aligned_rows(self.n_words, padded(self.dim)))
        fill_uniform(self.tables.input_vectors, self.dim, key_of(1), 0.5)
        fill_uniform(self.tables.output_vectors, self.dim, key_of(2), 0.5)

    def run(
        self,
        rates: npt.NDArray[np.float32] | None = None,
        loss_every: int = 1,
        order: Sequence[int] | None = None,
        places: tuple[int, int] | None = None,
    ) -> npt.NDArray[np.float64]:
        stream = Stream(
            self.ids,
            self.keep.astype(np.uint32),
            np.arange(len(self.rates)) if order is None else np.array(order),
            self.rates if rates is None else rates,
            key_of(3),
            key_of(4),
            self.window,
            True,
            loss_every,
            context_shares(self.gradient, self.window),
        )
        longest = self.n_negatives + 1 if self.n_negatives else int(np.diff(self.targets.offsets).max())
        max_parts = int(np.diff(self.tables.part_offsets).max(initial=0))
        scratch = new_scratch(self.window, self.dim, longest, self.n_replicas, 7, max_parts)
        kernel = block_kernel(self.architecture, self.dim, self.n_negatives)
        kernel(stream, self.targets, self.tables, scratch, *(places or (0, len(self.rates))))
        return scratch.tally

    def reference(self) -> oracle.Word2Vec:
        points, labels = self.targets.points, self.targets.labels
        paths: Any = [(points[a:b].tolist(), labels[a:b].tolist()) for a, b in pairwise(self.targets.offsets)]
        return oracle.Word2Vec(
            self.ids.tolist(),
            self.keep.astype(np.uint32).tolist(),
            int(key_of(3)),
            int(key_of(4)),
            self.window,
            True,
            self.architecture,
            self.targets.alias_table.tolist(),
            None if self.n_negatives else paths,
            self.n_negatives,
            self.gradient,
            BLOCK_POSITIONS,
        )


CASES = [
    Case("skip-gram", 20, 5),
    Case("skip-gram", 100, 8, rate=0.05),
    Case("skip-gram", 20, 0),
    Case("cbow", 20, 5),
    Case("cbow", 20, 5, gradient="root", rate=0.1),
    Case("cbow", 20, 5, gradient="legacy", rate=0.05),
    Case("cbow", 20, 0),
    Case("skip-gram", 24, 13, rate=0.05),
    Case("skip-gram", 9, 1, n_words=2),
    Case("skip-gram", 20, 5, n_replicas=11),
    Case("cbow", 20, 0, n_replicas=39),
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c.architecture}-{c.dim}-{c.n_negatives}-{c.gradient}-{c.n_replicas}"
)
def test_an_epoch_is_that_of_the_oracle(case: Case) -> None:
    """Every draw, window and step: tables, loss and counts after more than a block, with words repeated in windows."""
    input_vectors, output_vectors = (table[:, : case.dim].astype(np.float64) for table in case.tables[:2])
    before = input_vectors.copy()
    reference = case.reference()
    loss = reference.train(input_vectors, output_vectors, case.rates.tolist())
    tally = case.run()
    assert np.abs(input_vectors - before).max() > 0.1, "training moved the rows"
    assert case.tables.input_vectors[:, : case.dim] == pytest.approx(input_vectors, abs=2e-3)
    assert case.tables.output_vectors[:, : case.dim] == pytest.approx(output_vectors, abs=2e-3)
    assert tally[LOSS] / tally[LOSS_PREDICTIONS] == pytest.approx(loss, rel=1e-4)
    windows = reference.windows()
    assert tally[KEPT] == len(windows)
    assert tally[WINDOWS] == sum(bool(around) for _, _, around in windows)
    if case.architecture == "skip-gram":
        assert tally[PREDICTIONS] == sum(len(around) for _, _, around in windows)
    assert not case.tables.input_vectors[:, case.dim :].any()
    assert not case.tables.output_vectors[:, case.dim :].any()


def test_a_rate_of_zero_measures_and_changes_nothing() -> None:
    case = Case("skip-gram", 20, 5)
    before = case.tables.input_vectors.copy(), case.tables.output_vectors.copy()
    tally = case.run(np.zeros_like(case.rates))
    assert (case.tables.input_vectors == before[0]).all()
    assert (case.tables.output_vectors == before[1]).all()
    assert tally[LOSS_PREDICTIONS] == tally[PREDICTIONS]


def test_blocks_one_by_one_or_at_once_give_the_same_bytes() -> None:
    at_once, sampled = Case("cbow", 20, 5), Case("cbow", 20, 5)
    at_once.run(loss_every=1)
    sampled.run(loss_every=128)
    assert at_once.tables.input_vectors.tobytes() == sampled.tables.input_vectors.tobytes()


def test_blocks_are_trained_in_the_order_that_is_given_each_at_the_rate_of_its_place() -> None:
    at_once, one_by_one = Case("cbow", 20, 5), Case("cbow", 20, 5)
    at_once.run(order=[1, 0])
    one_by_one.run(at_once.rates[::-1].copy(), places=(1, 2))
    one_by_one.run(at_once.rates[::-1].copy(), places=(0, 1))
    assert at_once.tables.input_vectors.tobytes() == one_by_one.tables.input_vectors.tobytes()


def numeric(loss: Any, rows: Matrix, step: float = 1e-6) -> Matrix:
    gradient = np.zeros_like(rows)
    for place in np.ndindex(*rows.shape):
        kept = rows[place]
        rows[place] = kept + step
        above = loss()
        rows[place] = kept - step
        gradient[place] = (above - loss()) / (2 * step)
        rows[place] = kept
    return gradient


@pytest.mark.parametrize("labels", [[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 1.0, 0.0]], ids=["negatives", "path"])
@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
def test_gradients_are_the_slopes_of_the_loss(architecture: str, labels: list[float]) -> None:
    """Two-sided differences in float64; for CBOW through the mean, so that each row gets its n-th part."""
    generator = np.random.default_rng(3)
    input_vectors, output_vectors = generator.normal(size=(3, 6)), generator.normal(size=(len(labels), 6))

    def sources() -> Matrix:
        return input_vectors.mean(axis=0, keepdims=True) if architecture == "cbow" else input_vectors

    def loss() -> float:
        return oracle.window_loss(sources(), output_vectors, labels)

    by_sources, by_outputs = oracle.window_gradients(sources(), output_vectors, labels)
    if architecture == "cbow":
        by_sources = np.repeat(by_sources, 3, axis=0) / 3
    assert numeric(loss, input_vectors) == pytest.approx(by_sources, abs=1e-7)
    assert numeric(loss, output_vectors) == pytest.approx(by_outputs, abs=1e-7)


@pytest.mark.parametrize("n_negatives", [5, 0])
def test_the_worst_predictions_are_corrected_most(n_negatives: int) -> None:
    """A score beyond +-6 still gets its whole gradient; gensim gives it none."""
    case = Case("skip-gram", 20, n_negatives, n_words=2, n_positions=2, window=1)
    case.ids[:] = [0, 1]
    case.keep[:] = 2**32 - 1
    case.tables.input_vectors[:], case.tables.output_vectors[:] = 0, 0
    case.tables.input_vectors[:, 0] = 5
    center_is_wrong = case.targets.labels if n_negatives == 0 else np.array([1.0])
    sign = -1.0 if center_is_wrong[0] == 1 else 1.0
    case.tables.output_vectors[:, 0] = sign * 5
    before = case.tables.input_vectors.copy()
    case.run()
    assert np.abs(case.tables.input_vectors - before).max() > 0.9 * case.rates[0] * 5
