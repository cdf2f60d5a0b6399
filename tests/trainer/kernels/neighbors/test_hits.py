"""Of scores that are made of two parts, those are completed that may reach a bar."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from trainer.kernels.neighbors.hits import find_possible, settle
from trainer.kernels.neighbors.masks import WIDTH
from trainer.kernels.neighbors.products import AT_A_TIME, ONE, trailing_product

ROWS, FIRST_ROW, FIRST_COLUMN = 40, 3, 50


@njit
def product(row, other, n):
    return trailing_product(row, other, n)


@njit
def settled(space, part, bars, lengths, numbers, places):
    n_possible = find_possible(space, part, bars, lengths[0], lengths[1])
    return n_possible, settle(space, part, bars, numbers, n_possible, places)


@pytest.mark.parametrize("n", [AT_A_TIME, 3 * AT_A_TIME])
def test_a_product_of_trailing_numbers_is_exact(n: int) -> None:
    numbers = np.random.default_rng(1).integers(-3000, 3000, (2, n)).astype(np.int16)
    exact = int(numbers[0].astype(np.int64) @ numbers[1].astype(np.int64))
    found = product(numbers[0].ctypes.data, numbers[1].ctypes.data, n)
    assert np.float32(found) == np.float32(exact) * np.float32(1 / ONE**2)


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_only_complete_scores_that_reach_a_bar_are_left(share: float, *, is_shared: bool) -> None:
    """Bars are such that this share of the complete scores reaches them; the last columns fill up."""
    generator, n_columns = np.random.default_rng(2), WIDTH - 5
    numbers = [generator.integers(-2000, 2000, (n, AT_A_TIME)).astype(np.int16) for n in (ROWS, WIDTH)]
    rows, columns = (each.astype(np.float64) / ONE for each in numbers)
    scores = generator.uniform(-1, 1, (ROWS, WIDTH)).astype(np.float32)
    scores[:, n_columns:] = np.nan
    complete = scores + (rows @ columns.T).astype(np.float32)
    bars = np.full(FIRST_COLUMN + WIDTH, np.quantile(complete[:, :n_columns], 1 - share), np.float32)
    bars += generator.uniform(-0.01, 0.01, len(bars)).astype(np.float32) + np.float32(0.02 if share == 0 else 0)
    lengths = [(1.0001 * np.linalg.norm(each, axis=1)).astype(np.float32) for each in (rows, columns)]
    hits, places = np.empty((ROWS, 3), np.int64), np.empty(ROWS * WIDTH + 1, np.int32)
    n_possible, n_hits = settled(
        (scores.ctypes.data, hits.ctypes.data),
        (FIRST_ROW, ROWS, FIRST_COLUMN, is_shared),
        bars.ctypes.data,
        tuple(each.ctypes.data for each in lengths),
        (numbers[0].ctypes.data, numbers[1].ctypes.data, AT_A_TIME),
        places.ctypes.data,
    )
    for_rows = complete >= bars[FIRST_ROW : FIRST_ROW + ROWS, None]
    for_columns = (complete >= bars[FIRST_COLUMN:]) & is_shared
    found = np.zeros((2, ROWS, WIDTH), bool)
    for i, *masks in hits[:n_hits].tolist():
        for each, mask in zip(found, masks, strict=True):
            each[i] = [mask >> column & 1 for column in range(WIDTH)]
    assert (found[0] == for_rows).all()
    assert (found[1] == for_columns).all()
    assert n_hits == (for_rows | for_columns).any(axis=1).sum() <= n_possible
    reached = for_rows | for_columns
    assert np.allclose(scores[reached], complete[reached], atol=1e-6)
