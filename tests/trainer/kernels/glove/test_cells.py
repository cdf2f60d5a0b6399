"""The block kernel takes the steps of a slow reference, and its gradient is the cost's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.oracles.glove import Model
from trainer.algorithms.glove.start import initialise
from trainer.kernels.glove.cells import (
    CELL,
    STRIP_CELLS,
    Steps,
    cell_kernel,
    row_width,
    shuffle,
    total_cost,
)
from trainer.kernels.glove.grid import HELD_OUT_CELL
from trainer.kernels.hashing import mixed
from trainer.kernels.rows import aligned_rows, padded

DIM = 18
SIZE = padded(DIM)
REFERENCE = Steps(np.float32(0.05), np.float32(1), np.float32(100))
STANDARD = Steps(np.float32(1), np.float32(0.05), np.finfo(np.float32).max)

Array = npt.NDArray[Any]


def parameters_of(n_words: int, scale: float = 1.0) -> Array:
    parameters = aligned_rows(n_words, row_width(DIM))
    initialise(parameters, DIM, 3)
    for begin in (0, 2 * SIZE):
        parameters[:, begin : begin + DIM] *= scale
    return parameters


def oracle_of(parameters: Array) -> Model:
    biases = [(float(row[4 * SIZE]), float(row[4 * SIZE + 2])) for row in parameters]
    return Model(parameters[:, :DIM].tolist(), parameters[:, 2 * SIZE : 2 * SIZE + DIM].tolist(), biases)


def train(parameters: Array, cell: tuple[int, int, float, float], steps: Steps = REFERENCE, *, mirror: bool) -> float:
    """Train (row, column, count, weight), each word a stripe of its own; the cost."""
    row, column, count, weight = cell
    n_words = len(parameters)
    starts = np.zeros((n_words, n_words + 1), np.int64)
    starts[row, column + 1 :] = 1
    cells = np.array([(0, 0, math.log(count), weight)], CELL)
    blocks = np.array([[row, column, side] for side in range(2 if mirror else 1)])
    costs = np.zeros(len(blocks))
    cell_kernel(SIZE)(parameters.reshape(n_words, 1, -1), cells, starts, blocks, steps, np.uint64(1), costs)
    return float(costs.sum())


def assert_equal(parameters: Array, model: Model) -> None:
    def compare(actual: Array, expected: list[Any]) -> None:
        np.testing.assert_allclose(actual, np.array(expected), rtol=2e-4, atol=2e-6)

    compare(parameters[:, :DIM], model.words)
    compare(parameters[:, SIZE : SIZE + DIM], model.word_squares)
    compare(parameters[:, 2 * SIZE : 2 * SIZE + DIM], model.contexts)
    compare(parameters[:, 3 * SIZE : 3 * SIZE + DIM], model.context_squares)
    biases = [model.word_bias, model.word_bias_squares, model.context_bias, model.context_bias_squares]
    compare(parameters[:, 4 * SIZE : 4 * SIZE + 4].T, biases)


@pytest.mark.parametrize(("update", "steps"), [("reference", REFERENCE), ("standard", STANDARD)])
def test_a_cell_and_its_mirror_image_are_stepped_as_the_reference_does(update: str, steps: Steps) -> None:
    parameters = parameters_of(3, 20.0)
    model = oracle_of(parameters)
    for count in (50.0, 3.0, 0.1, 700.0):
        cost = train(parameters, (1, 2, count, 0.7), steps, mirror=True)
        expected = 0.0
        for i, j in ((1, 2), (2, 1)):
            expected += model.cost(i, j, count, 0.7)
            model.step(i, j, count, 0.7, 0.05, update)
        assert cost == pytest.approx(expected, rel=1e-5)
    assert_equal(parameters, model)


def test_without_mirror_images_only_the_row_s_word_and_the_column_s_context_move() -> None:
    parameters = parameters_of(3)
    model = oracle_of(parameters)
    train(parameters, (2, 0, 5, 0.5), mirror=False)
    model.step(2, 0, 5, 0.5, 0.05, "reference")
    assert_equal(parameters, model)


def test_a_word_with_itself_is_stepped_once() -> None:
    parameters = parameters_of(2)
    model = oracle_of(parameters)
    train(parameters, (1, 1, 9, 1), mirror=True)
    model.step(1, 1, 9, 1, 0.05, "reference")
    assert_equal(parameters, model)


def test_the_reference_clips_gradients_of_vectors_not_of_biases() -> None:
    parameters = parameters_of(2, 3000.0)
    model = oracle_of(parameters)
    train(parameters, (0, 1, 2, 1), mirror=False)
    model.step(0, 1, 2, 1, 0.05, "reference")
    assert 1 + 5.0**2 in model.word_squares[0]  # a step of 100 times the learning rate
    assert model.word_bias_squares[0] > 100**2
    assert_equal(parameters, model)


def test_the_padding_stays_zero() -> None:
    parameters = parameters_of(4)
    for i in range(4):
        for j in range(i, 4):
            train(parameters, (i, j, 4.0 + i, 1.0), mirror=True)
    assert (parameters[:, DIM:SIZE] == 0).all()
    assert (parameters[:, 2 * SIZE + DIM : 3 * SIZE] == 0).all()


@pytest.mark.parametrize("mirror", [True, False])
def test_steps_follow_the_gradient_of_half_the_cost(mirror: bool) -> None:
    """Two-sided differences in float64; with squared gradients of 1 a small step is the gradient."""
    rate = 1e-6
    steps = Steps(np.float64(1), np.float64(rate), np.float64(1e300))
    before = parameters_of(2, 9.0).astype(np.float64)
    after = before.copy()
    train(after, (0, 1, 20, 0.5), steps, mirror=mirror)
    gradient = (before - after) / rate
    cell = np.array([(0, 1, math.log(20), 0.5)], HELD_OUT_CELL)

    def cost(parameters: Array) -> float:
        return float(total_cost(parameters, cell, np.arange(2), DIM, mirror)[0]) / 2

    for row in range(2):
        for column in [*range(DIM), *range(2 * SIZE, 2 * SIZE + DIM), 4 * SIZE, 4 * SIZE + 2]:
            change = np.zeros_like(before)
            change[row, column] = 1e-5
            slope = (cost(before + change) - cost(before - change)) / 2e-5
            assert gradient[row, column] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_every_cell_of_every_block_is_stepped_once_whatever_the_key() -> None:
    """Columns' biases count their cells, as neither they nor the vectors move at a rate of 0."""
    stripe_rows, n_stripes = 40_000, 2
    cells = np.zeros(2 * STRIP_CELLS + 5000, CELL)
    random = np.random.default_rng(1)
    cells["column"], cells["log_count"], cells["weight"] = random.integers(0, stripe_rows, len(cells)), 1, 1
    starts = np.array([[0, 1000, 3000], [3000, 3000, len(cells)]])
    steps = Steps(np.float32(0.05), np.float32(0), np.float32(100))
    blocks = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0]])
    for key in (1, 2):
        stripes = np.zeros((n_stripes, stripe_rows, row_width(2)), np.float32)
        stripes[:, :, [*range(16, 32), *range(48, 64), 65, 67]] = 1
        costs = np.full(4, np.nan)
        cell_kernel(16)(stripes, cells, starts, blocks, steps, np.uint64(key), costs)
        assert costs.tolist() == [len(cells) - 3000, 1000, 0, 2000]
        for stripe, parts in enumerate([cells[:1000], np.concatenate([cells[1000:3000], cells[3000:]])]):
            counted = 1 + np.bincount(parts["column"], minlength=stripe_rows)
            assert np.array_equal(stripes[stripe, :, 67], counted)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_cells_that_share_words_are_stepped_one_after_the_other(is_mirrored: bool) -> None:
    """In one block, where the next cell's product is taken while a cell's step is written."""
    n_words, n_cells, key = 3, 40, np.uint64(7)
    random = np.random.default_rng(4)
    cells = np.zeros(n_cells, CELL)
    cells["row"], cells["column"] = random.integers(0, n_words, (2, n_cells))
    cells["log_count"], cells["weight"] = random.uniform(0, 3, n_cells), random.uniform(0.1, 1, n_cells)
    parameters = parameters_of(n_words, 20.0)
    model = oracle_of(parameters)
    arguments = (cells, np.array([[0, n_cells]]), np.array([[0, 0, is_mirrored]]), REFERENCE, key, np.zeros(1))
    cell_kernel(SIZE)(parameters.reshape(1, n_words, -1), *arguments)
    order = np.arange(n_cells)
    shuffle(order, n_cells, np.uint64(mixed(key, np.uint64(is_mirrored))), np.uint64(0))
    for cell in cells[order]:
        i, j = (int(cell["column"]), int(cell["row"])) if is_mirrored else (int(cell["row"]), int(cell["column"]))
        if not (is_mirrored and i == j):
            model.step(i, j, math.exp(cell["log_count"]), float(cell["weight"]), 0.05, "reference")
    assert_equal(parameters, model)


def test_the_order_comes_from_the_key() -> None:
    cells = np.zeros(50, CELL)
    cells["row"], cells["column"], cells["log_count"] = np.arange(50) // 8, np.arange(50) % 7, np.arange(50)
    cells["weight"] = 1
    outcomes = []
    for key in (1, 1, 2):
        parameters = parameters_of(8)
        arguments = (cells, np.array([[0, 50]]), np.array([[0, 0, 0]]), REFERENCE, np.uint64(key), np.zeros(1))
        cell_kernel(SIZE)(parameters.reshape(1, 8, -1), *arguments)
        outcomes.append(parameters.tobytes())
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != outcomes[2]


def test_shuffle_permutes_and_says_where_to_go_on() -> None:
    values = np.arange(1000)
    counter = shuffle(values, 900, np.uint64(5), np.uint64(0))
    assert int(counter) == 899
    assert sorted(values[:900]) == list(range(900))
    assert (values[900:] == np.arange(900, 1000)).all()
    assert (values[:900] == np.arange(900)).mean() < 0.02
    again = np.arange(1000)
    shuffle(again, 900, np.uint64(5), counter)
    assert not np.array_equal(again, values)


def test_nan_is_passed_on() -> None:
    """The guard after each epoch relies on it; the C program's -Ofast removes its own."""
    parameters = parameters_of(2)
    parameters[0, 0] = np.nan
    assert math.isnan(train(parameters, (0, 1, 2, 1), mirror=True))
    assert np.isnan(parameters[1, 2 * SIZE : 2 * SIZE + DIM]).all()
