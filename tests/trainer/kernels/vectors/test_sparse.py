"""Sparse products against dense ones."""

from __future__ import annotations

import numpy as np

from trainer.kernels.vectors.sparse import times, transposed_times

DENSE = np.array([[0, 2, 0], [0, 0, 0], [1, 0, -3]], np.float64)
OFFSETS, COLUMNS = np.array([0, 1, 1, 3]), np.array([1, 0, 2], np.int32)
VALUES = np.array([2, 1, -3], np.float32)


def test_times_is_the_product() -> None:
    other = np.arange(6, dtype=np.float64).reshape(3, 2)
    out = np.full((3, 2), np.nan)
    times(OFFSETS, COLUMNS, VALUES, other, out)
    np.testing.assert_array_equal(out, DENSE @ other)


def test_transposed_times_adds_the_product_of_the_transpose() -> None:
    other = np.arange(6, dtype=np.float64).reshape(3, 2) + 1
    out = np.ones((3, 2))
    transposed_times(OFFSETS, COLUMNS, VALUES, other, out)
    np.testing.assert_array_equal(out, 1 + DENSE.T @ other)
