"""A support vector machine for two classes, in numpy: a reader that tells what vectors still show."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Kernel = Literal["linear", "rbf"]
TOLERANCE = 1e-3
"""LIBSVM's."""
MOST_ROUNDS = 100_000
FLATTEST = 1e-12


class Machine(NamedTuple):
    """A row x is of the first class where `coefficients` . k(x, rows) + `offset` > 0."""

    coefficients: Floats
    offset: float


def fit(kernel: Floats, is_first: Flags, c: float = 1.0) -> Machine:
    """Solve the dual problem by pairs of rows that violate it most, the second by second order.

    Fan, Chen and Lin, "Working set selection using second order information" (2005), as LIBSVM does it.

    Parameters
    ----------
    kernel : float64 (n, n), of all rows with each other
    is_first : bool (n,), both classes occur
    c : the largest weight of a row

    Returns
    -------
    Machine
    """
    y = np.where(is_first, 1.0, -1.0)
    weights, gradient, diagonal = np.zeros(len(y)), -np.ones(len(y)), np.diag(kernel)
    for _ in range(MOST_ROUNDS):
        up = np.where(is_first, weights < c, weights > 0)
        down = np.where(is_first, weights > 0, weights < c)
        upward = -y * gradient
        i = int(np.where(up, upward, -np.inf).argmax())
        excess = upward[i] - upward
        if np.where(down, excess, -np.inf).max() < TOLERANCE:
            break
        curvature = np.maximum(diagonal[i] + diagonal - 2 * kernel[i], FLATTEST)
        j = int(np.where(down & (excess > 0), excess * excess / curvature, -np.inf).argmax())
        room_i = c - weights[i] if is_first[i] else weights[i]
        room_j = weights[j] if is_first[j] else c - weights[j]
        step = min(excess[j] / curvature[j], room_i, room_j)
        weights[i] += y[i] * step
        weights[j] -= y[j] * step
        gradient += y * (kernel[i] - kernel[j]) * step
    offset = (np.where(up, upward, -np.inf).max() + np.where(down, upward, np.inf).min()) / 2
    return Machine(weights * y, float(offset))


def kernel_of(kind: Kernel, a: Floats, b: Floats, gamma: float) -> Floats:
    """<x, y>, or exp(-gamma |x - y|^2), of all rows of both; float64 (len(a), len(b))."""
    products = a @ b.T
    if kind == "linear":
        return np.asarray(products)
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * products
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0)))
