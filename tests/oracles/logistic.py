"""Logistic regression, slow and plain: the objective text by text, minimised by SciPy in float64."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Rows = Sequence[Sequence[float]]


def objective(parameters: npt.ArrayLike, rows: Rows, labels: Sequence[int], n_classes: int, c: float) -> float:
    """``c * sum of losses + |weights|^2 / 2``; two classes have one score, more have one each."""
    n_scores = 1 if n_classes == 2 else n_classes
    matrix = np.asarray(parameters, np.float64).reshape(n_scores, -1).tolist()
    total = sum(weight * weight for row in matrix for weight in row[:-1]) / 2
    for features, label in zip(rows, labels, strict=True):
        scores = [sum(w * x for w, x in zip(row[:-1], features, strict=True)) + row[-1] for row in matrix]
        if n_classes == 2:
            scores = [0.0, *scores]
        largest = max(scores)
        total += c * (largest + math.log(sum(math.exp(s - largest) for s in scores)) - scores[label])
    return total


def fitted(rows: Rows, labels: Sequence[int], n_classes: int, c: float) -> npt.NDArray[np.float64]:
    """The weights and, last in each row, the biases at the minimum."""
    n_scores = 1 if n_classes == 2 else n_classes
    start = np.zeros(n_scores * (len(rows[0]) + 1))
    found = minimize(objective, start, (rows, labels, n_classes, c), method="BFGS", options={"gtol": 1e-4})
    return np.asarray(found.x, np.float64).reshape(n_scores, -1)
