"""The vector building blocks against numpy, for dims that do and do not fill registers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit

from trainer.kernels.llvm import LANES
from trainer.kernels.logistic import logistic_gradients
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.simd import add_to_rows, score_rows, sum_rows, update_rows

Rows = npt.NDArray[np.float32]


def random_rows(n: int, dim: int, seed: int) -> Rows:
    rows = aligned_rows(n, padded(dim))
    rows[:, :dim] = np.random.default_rng(seed).normal(size=(n, dim))
    return rows


def row_addresses(rows: Rows, which: list[int]) -> npt.NDArray[np.int64]:
    return np.array([rows[i].ctypes.data for i in which], np.int64)


@njit
def logistic(scores, labels, rate):
    logistic_gradients(scores.ctypes.data, labels.ctypes.data, len(scores), rate)


def test_logistic_function_is_exact_and_never_skips() -> None:
    """To float32's precision everywhere; also beyond +-6, where word2vec.c and gensim stop."""
    x = np.concatenate([np.linspace(-40, 40, 4001), [0.0, 6.0, -6.0, 1e30, -1e30]]).astype(np.float32)
    x = np.resize(x, -(-len(x) // LANES) * LANES)
    for label in (0.0, 1.0):
        scores = x.copy()
        logistic(scores, np.full_like(x, label), np.float32(1.0))
        exact = label - 1 / (1 + np.exp(-np.clip(x.astype(np.float64), -700, 700)))
        assert np.abs(scores - exact).max() < 2e-7
    wrong = np.full(LANES, -25.0, np.float32)
    logistic(wrong, np.ones(LANES, np.float32), np.float32(0.5))
    assert wrong == pytest.approx(np.full(LANES, 0.5))


def test_filler_learns_exactly_nothing() -> None:
    scores = np.zeros(LANES, np.float32)
    logistic(scores, np.full(LANES, 0.5, np.float32), np.float32(0.7))
    assert not scores.any()


@pytest.mark.parametrize(("dim", "n_outputs"), [(3, 1), (8, 2), (100, 6), (17, 5)])
def test_products_of_rows(dim: int, n_outputs: int) -> None:
    """Scores, then both updates from the old rows, a row that is named twice, running or not, getting both."""

    @njit
    def score(contexts, n, output_vectors, copies, scores):
        score_rows(
            contexts.ctypes.data, n, output_vectors.ctypes.data, copies.ctypes.data, scores.ctypes.data, n_outputs, dim
        )

    @njit
    def update(contexts, n, output_vectors, copies, gradients, ahead):
        update_rows(
            contexts.ctypes.data,
            n,
            output_vectors.ctypes.data,
            copies.ctypes.data,
            gradients.ctypes.data,
            ahead.ctypes.data,
            n_outputs,
            dim,
        )

    for n_contexts in (1, 2, 5):
        input_vectors, output_vectors = random_rows(4, dim, 1), random_rows(6, dim, 2)
        c, o = [2, 2, 0, 2, 1][:n_contexts], [5, 1, 1, 0, 3, 2][:n_outputs]
        copies = aligned_rows(n_contexts, -(-dim // LANES) * LANES)
        scores = np.full(n_contexts * n_outputs + LANES, 7, np.float32)
        old_inputs, old_outputs = input_vectors.astype(np.float64), output_vectors.astype(np.float64)
        score(row_addresses(input_vectors, c), n_contexts, row_addresses(output_vectors, o), copies, scores)
        products = scores[: n_contexts * n_outputs].reshape(n_contexts, n_outputs)
        assert products == pytest.approx(old_inputs[c] @ old_outputs[o].T, abs=1e-4)
        assert (scores[n_contexts * n_outputs :] == 7).all()
        assert (copies[:, :dim] == input_vectors[c, :dim]).all()

        gradients = np.random.default_rng(3).normal(size=(n_contexts, n_outputs)).astype(np.float32)
        ahead = np.arange(n_outputs + 1)  # addresses of nothing
        update(row_addresses(input_vectors, c), n_contexts, row_addresses(output_vectors, o), copies, gradients, ahead)
        np.add.at(old_inputs, c, gradients @ old_outputs[o])
        by_outputs = gradients.T.astype(np.float64) @ copies[:, :dim]
        np.add.at(old_outputs[:, :dim], o, by_outputs)
        assert input_vectors == pytest.approx(old_inputs, abs=1e-4)
        assert output_vectors == pytest.approx(old_outputs, abs=1e-4)


@pytest.mark.parametrize("dim", [5, 100, 300])
def test_sum_and_spread_rows(dim: int) -> None:
    @njit
    def both(rows, n, total, step):
        sum_rows(rows.ctypes.data, n, np.float32(0.25), total.ctypes.data, dim)
        add_to_rows(rows.ctypes.data, n, np.float32(0.5), step.ctypes.data, dim)

    table, total, step = random_rows(5, dim, 1), random_rows(1, dim, 2), random_rows(1, dim, 3)
    old, change = table.astype(np.float64), step.astype(np.float64)
    both(row_addresses(table, [1, 3, 3, 4]), 4, total, step)
    assert total[0] == pytest.approx(old[[1, 3, 3, 4]].sum(axis=0) / 4, abs=1e-5)
    np.add.at(old, [1, 3, 3, 4], change / 2)
    assert table == pytest.approx(old, abs=1e-5)
    assert not step[0, : -(-dim // LANES) * LANES].any()
