"""Multinomial logistic regression with an L2 penalty, fitted by L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

N_PAIRS = 10
"""Steps whose curvature L-BFGS remembers."""
MAX_STEPS = 300
SUFFICIENT = 1e-4
"""Of the decrease that the gradient promises, what a step must bring (Armijo)."""
SMALLEST_STEP = 1e-10


class Design(Protocol):
    """The features of texts, however they are stored."""

    @property
    def shape(self) -> tuple[int, int]:
        """Texts and features."""

    def loss(self, weights: DoubleArray, labels: Labels) -> tuple[float, DoubleArray]:
        """Sum of all losses and its gradient; `weights` (n_scores, n_features + 1), the last column are biases."""

    def scores(self, weights: DoubleArray) -> DoubleArray:
        """float64 (n_texts, n_scores)."""

    def scaled(self, penalty: float) -> Callable[[DoubleArray], DoubleArray]:
        """A cheap approximation of the inverse Hessian of the mean loss, as a function of a gradient."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A score a class: float64 `weights` (n_classes, n_features) and `biases` (n_classes,)."""

    weights: DoubleArray
    biases: DoubleArray


def log_losses(scores: DoubleArray, labels: Labels) -> tuple[DoubleArray, DoubleArray]:
    """Losses in nats and probabilities of texts by their scores.

    Parameters
    ----------
    scores : float64 (n, n_scores); one score means two classes, of which the first has the score 0
    labels : int64 (n,), classes

    Returns
    -------
    float64 (n,), and float64 (n, n_scores) as the scores are
    """
    whole = np.concatenate([np.zeros_like(scores), scores], axis=1) if scores.shape[1] == 1 else scores
    shifted = whole - whole.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1, keepdims=True)
    losses = np.log(totals[:, 0]) - shifted[np.arange(len(labels)), labels]
    return losses, (exponentials / totals)[:, -scores.shape[1] :]


def residuals(probabilities: DoubleArray, labels: Labels) -> DoubleArray:
    """The gradient of each loss by its scores, float64 (n, n_scores); `probabilities` are changed to it."""
    if probabilities.shape[1] == 1:
        probabilities[:, 0] -= labels
    else:
        probabilities[np.arange(len(labels)), labels] -= 1
    return probabilities


def fit(
    design: Design,
    labels: Labels,
    n_classes: int,
    c: float,
    *,
    start: DoubleArray | None = None,
    tolerance: float = 1e-6,
) -> DoubleArray:
    """Minimise ``c * sum of losses + |weights|^2 / 2``, as scikit-learn does; biases are free.

    Two classes have one score and one penalty (scikit-learn: binomial), more have one each (multinomial).

    Parameters
    ----------
    design : the features
    labels : int64 (n_texts,), from 0 to below `n_classes`
    n_classes : two or more
    c : inverse strength of the penalty
    start : where to begin, as what is returned; None for zeros
    tolerance : the largest partial derivative of the mean objective at the end

    Returns
    -------
    float64 (n_scores, n_features + 1), the last column are the biases
    """
    n_texts, n_features = design.shape
    n_scores = 1 if n_classes == 2 else n_classes
    penalty = 1 / (c * n_texts)

    def objective(flat: DoubleArray) -> tuple[float, DoubleArray]:
        weights = flat.reshape(n_scores, n_features + 1)
        loss, gradient = design.loss(weights, labels)
        gradient = gradient / n_texts
        gradient[:, :-1] += penalty * weights[:, :-1]
        return loss / n_texts + penalty * float((weights[:, :-1] ** 2).sum()) / 2, gradient.ravel()

    first = np.zeros(n_scores * (n_features + 1)) if start is None else start.ravel().copy()
    scaled = design.scaled(penalty)
    found = minimise(objective, first, lambda flat: scaled(flat.reshape(n_scores, -1)).ravel(), tolerance)
    return found.reshape(n_scores, n_features + 1)


def linear_of(weights: DoubleArray) -> Linear:
    """The same with a score for each class; the scores of all classes add up to nothing."""
    if len(weights) == 1:
        weights = np.concatenate([-weights / 2, weights / 2])
    weights = weights - weights.mean(axis=0)
    return Linear(np.ascontiguousarray(weights[:, :-1]), np.ascontiguousarray(weights[:, -1]))


def minimise(
    objective: Callable[[DoubleArray], tuple[float, DoubleArray]],
    start: DoubleArray,
    scaled: Callable[[DoubleArray], DoubleArray],
    tolerance: float,
) -> DoubleArray:
    """Minimise a smooth convex function by L-BFGS (Nocedal and Wright, algorithm 7.4).

    Parameters
    ----------
    objective : value and gradient at a point
    start : float64 (n,)
    scaled : an approximation of the inverse Hessian, applied to a gradient
    tolerance : the largest partial derivative at the end

    Returns
    -------
    float64 (n,); the best point that was found, also where `MAX_STEPS` were not enough
    """
    place, pairs = start, list[tuple[DoubleArray, DoubleArray, float]]()
    value, gradient = objective(place)
    for _ in range(MAX_STEPS):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_times_inverse(gradient, pairs, scaled)
        slope, step = float(direction @ gradient), 1.0
        while True:
            tried = place + step * direction
            new_value, new_gradient = objective(tried)
            if new_value <= value + SUFFICIENT * step * slope:
                break
            step /= 2
            if step < SMALLEST_STEP:
                return place
        moved, turned = tried - place, new_gradient - gradient
        if (curvature := float(moved @ turned)) > 0:
            pairs = [*pairs[-N_PAIRS + 1 :], (moved, turned, curvature)]
        place, value, gradient = tried, new_value, new_gradient
    return place


def _times_inverse(
    gradient: DoubleArray,
    pairs: list[tuple[DoubleArray, DoubleArray, float]],
    scaled: Callable[[DoubleArray], DoubleArray],
) -> DoubleArray:
    """The two loops of L-BFGS."""
    rest, shares = gradient.copy(), []
    for moved, turned, curvature in reversed(pairs):
        shares.append(float(moved @ rest) / curvature)
        rest -= shares[-1] * turned
    rest = scaled(rest)
    for (moved, turned, curvature), share in zip(pairs, reversed(shares), strict=True):
        rest += (share - float(turned @ rest) / curvature) * moved
    return rest
