"""LEACE in closed form: Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff and Biderman (2023), theorem 4.3."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from trainer.deriving.working import DoubleArray

SMALLEST_VARIANCE = 1e-12
"""Of unit vectors; and of the largest one: directions with less are no directions of these vectors."""
SMALLEST_CORRELATION = 1e-9
"""Of the largest singular value of W cov(x, z): less is rounding, as one-hot labels of k groups have k - 1."""
Mask = npt.NDArray[np.bool_]
Blocks = Callable[[], Iterable[tuple[slice, DoubleArray]]]
"""All rows, some at a time, as often as they are asked for."""


class Labels(NamedTuple):
    """What is told of which rows.

    Parameters
    ----------
    counted : bool (n,), rows that may change: mean and covariance are of these
    labelled : bool (n,), rows that have a label; all of them are counted
    values : float64 (n, n_labels), one-hot for groups
    """

    counted: Mask
    labelled: Mask
    values: DoubleArray


class Eraser(NamedTuple):
    """r(x) = x - A (x - mean).

    Parameters
    ----------
    mean : float64 (dim,)
    matrix : float64 (dim, dim), A
    rank : of A, how many directions are taken out
    """

    mean: DoubleArray
    matrix: DoubleArray
    rank: int

    def erased(self, rows: DoubleArray) -> DoubleArray:
        """r(x) of rows, float64 (n, dim)."""
        return rows - (rows - self.mean) @ self.matrix.T


def eraser(blocks: Blocks, labels: Labels) -> Eraser:
    """Find the affine change of least mean square after which labelled rows have no covariance with their labels.

    Raises
    ------
    StepImpossible
        All vectors are the same.
    """
    mean = _mean(blocks, labels.counted)
    centered = (part[chosen] - mean for part, chosen in _of(blocks, labels.counted))
    second = _summed(part.T @ part for part in centered)
    variances, axes = np.linalg.eigh(second / labels.counted.sum())
    if variances[-1] <= SMALLEST_VARIANCE:
        raise StepImpossible("All vectors are the same.")
    found = variances > SMALLEST_VARIANCE * variances[-1]
    deviations, axes = np.sqrt(variances[found]), axes[:, found]
    left, singular, _ = np.linalg.svd((axes / deviations).T @ cross_covariance(blocks, labels), full_matrices=False)
    basis = left[:, singular > SMALLEST_CORRELATION * singular[0]]
    matrix = ((axes * deviations) @ basis) @ ((axes / deviations) @ basis).T
    return Eraser(mean, matrix, basis.shape[1])


def cross_covariance(blocks: Blocks, labels: Labels) -> DoubleArray:
    """The covariance of labelled rows and their labels, float64 (dim, n_labels)."""
    mean = _mean(blocks, labels.labelled)
    values = labels.values - labels.values[labels.labelled].mean(axis=0)
    products = ((part[labels.labelled[rows]] - mean).T @ values[rows][labels.labelled[rows]] for rows, part in blocks())
    return _summed(products) / float(labels.labelled.sum())


def _mean(blocks: Blocks, chosen: Mask) -> DoubleArray:
    return _summed(part[its].sum(axis=0) for part, its in _of(blocks, chosen)) / float(chosen.sum())


def _of(blocks: Blocks, chosen: Mask) -> Iterable[tuple[DoubleArray, Mask]]:
    return ((part, np.asarray(chosen[rows])) for rows, part in blocks())


def _summed(parts: Iterable[DoubleArray]) -> DoubleArray:
    return np.asarray(sum(parts), np.float64)
