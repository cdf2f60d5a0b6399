"""Windows over words that are means of several input rows, against the oracle and the slopes of the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.oracles import word2vec as oracle
from tests.trainer.kernels.word2vec.test_blocks import Case, numeric
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.word2vec.layout import Parts


def composed(case: Case, n_rows: int, seed: int = 0) -> list[list[int]]:
    """Make the case's words means of one to six of so many rows, one of them perhaps twice; the rows of each word."""
    generator = np.random.default_rng(seed)
    parts = [generator.integers(0, n_rows, 1 + word % 6).tolist() for word in range(case.n_words)]
    rows = aligned_rows(n_rows, padded(case.dim))
    fill_uniform(rows, case.dim, key_of(5), 0.5)
    use(case, rows, parts)
    return parts


def use(case: Case, rows: npt.NDArray[np.float32], parts: list[list[int]]) -> None:
    offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    listed = Parts(offsets, np.concatenate(parts).astype(np.int32))
    case.tables = case.tables._replace(input_vectors=rows, part_offsets=listed.offsets, part_rows=listed.rows)


@pytest.mark.parametrize(
    "case",
    [
        Case("skip-gram", 20, 5),
        Case("skip-gram", 20, 0),
        Case("cbow", 20, 5),
        Case("cbow", 20, 5, gradient="legacy", rate=0.05),
        Case("cbow", 20, 0),
        Case("skip-gram", 20, 5, n_replicas=11),
    ],
    ids=lambda c: f"{c.architecture}-{c.n_negatives}-{c.gradient}-{c.n_replicas}",
)
def test_an_epoch_is_that_of_the_oracle(case: Case) -> None:
    """Every row after more than a block, with lines of one word and words that share rows; nothing beyond `dim`."""
    case = replace(case)
    parts = composed(case, 60)
    rows, output_vectors = (table[:, : case.dim].astype(np.float64) for table in case.tables[:2])
    before = rows.copy()
    case.reference().train_composed(rows, parts, output_vectors, case.rates.tolist())
    case.run()
    assert np.abs(rows - before).max() > 0.1, "training moved the rows"
    assert case.tables.input_vectors[:, : case.dim] == pytest.approx(rows, abs=2e-3)
    assert case.tables.output_vectors[:, : case.dim] == pytest.approx(output_vectors, abs=2e-3)
    assert not case.tables.input_vectors[:, case.dim :].any()


def test_words_of_one_row_are_word2vecs_but_for_what_is_seen_late() -> None:
    """A line in which no word comes twice within reach: the same rows as without composition, to the last bits."""
    plain, made = (Case("skip-gram", 20, 5, n_positions=40) for _ in range(2))
    for case in (plain, made):
        case.ids = np.arange(40, dtype=np.int32)
        case.keep[:] = 2**32 - 1
    use(made, made.tables.input_vectors, [[word] for word in range(40)])
    plain.run()
    made.run()
    np.testing.assert_allclose(made.tables.input_vectors, plain.tables.input_vectors, atol=1e-6)
    np.testing.assert_allclose(made.tables.output_vectors, plain.tables.output_vectors, atol=1e-6)


@pytest.mark.parametrize("n_negatives", [2, 0])
def test_a_step_of_the_kernel_goes_down_the_slope_of_the_loss(n_negatives: int) -> None:
    """Two-sided differences in float64 of the loss of two windows by every row.

    A row of n takes the whole step of its word, n times its own slope, and one that is named twice takes it twice.
    """
    case = Case("skip-gram", 4, n_negatives, n_words=2, n_positions=2, window=1, rate=1e-4)
    case.ids[:] = [0, 1]
    case.keep[:] = 2**32 - 1
    parts = [[0, 2, 3], [1, 3, 4, 4]]
    rows = aligned_rows(5, padded(4))
    fill_uniform(rows, 4, key_of(5), 0.5)
    use(case, rows, parts)
    inputs, outputs = (table[:, :4].astype(np.float64) for table in case.tables[:2])
    targets = {0: ([0, 1, 1], [1.0, 0.0, 0.0]), 1: ([1, 0, 0], [1.0, 0.0, 0.0])}  # the only noise is the other word
    if n_negatives == 0:
        targets = {word: ([0], [float(case.targets.labels[word])]) for word in range(2)}

    def loss(word: int) -> float:
        listed, labels = targets[1 - word]
        return oracle.window_loss(inputs[parts[word]].mean(axis=0, keepdims=True), outputs[listed], labels)

    expected = sum(len(parts[word]) * numeric(lambda word=word: loss(word), inputs) for word in range(2))
    expected_outputs = numeric(lambda: loss(0) + loss(1), outputs)
    case.run()
    rate = float(case.rates[0])
    np.testing.assert_allclose((inputs - case.tables.input_vectors[:, :4]) / rate, expected, atol=2e-3)
    np.testing.assert_allclose((outputs - case.tables.output_vectors[:, :4]) / rate, expected_outputs, atol=2e-3)


def test_a_rate_of_zero_changes_nothing() -> None:
    case = Case("skip-gram", 20, 5)
    composed(case, 60)
    before = case.tables.input_vectors.copy()
    case.run(np.zeros_like(case.rates))
    assert (case.tables.input_vectors == before).all()
