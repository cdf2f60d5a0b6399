"""Relative Negative Sentiment Bias (Sweeney and Najafian 2019): how unequally a classifier finds words negative."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from app.core.evaluation.bias.rows import Rows
from app.core.nearest.scores import DoubleArray

Intercept = Literal["free", "penalised"]
"""`penalised` is what liblinear minimises, `free` what L-BFGS of scikit-learn does."""
MAX_STEPS = 100
TOLERANCE = 1e-10


class Rnsb(NamedTuple):
    """`value` is the divergence, 0 where all words have the same share, and `shares` sum to 1, one a target word."""

    value: float
    shares: DoubleArray


def rnsb(targets: Rows, positive: Rows, negative: Rows, *, c: float = 1.0, intercept: Intercept = "free") -> Rnsb:
    """The divergence of words' shares in the predicted negative sentiment from equal ones.

    A logistic regression learns `negative` from `positive` words; no word is held out, so that there is no chance in
    it. With p(w) the probability of "negative" and P = p / sum(p), the value is sum of P ln(n P), Kullback and
    Leibler's divergence from the uniform distribution, in nats. Lengths count: rows of length 1 have another value.

    Parameters
    ----------
    targets, positive, negative : float32 or float64 (n_words, dim) each
    c : of the regression, which minimises sum of log losses + |w|^2 / (2 c)
    intercept : whether the penalty has the intercept, too

    Returns
    -------
    Rnsb
    """
    rows = np.concatenate([positive, negative]).astype(np.float64)
    is_negative = np.arange(len(rows)) >= len(positive)
    weights = fit_logistic(rows, is_negative.astype(np.float64), c=c, intercept=intercept)
    chance = _logistic(_with_one(targets.astype(np.float64)) @ weights)
    shares = chance / chance.sum()
    return Rnsb(float((shares * np.log(shares * len(shares))).sum()), shares)


def fit_logistic(rows: DoubleArray, labels: DoubleArray, *, c: float, intercept: Intercept) -> DoubleArray:
    """Weights of an L2-penalised logistic regression by Newton's method, halving steps that do not descend.

    Parameters
    ----------
    rows : float64 (n, dim)
    labels : float64 (n,), 0 or 1, both present
    c, intercept : as of `rnsb`

    Returns
    -------
    float64 (dim + 1,), the intercept last
    """
    basis = np.linalg.qr(rows.T).Q  # the weights lie where the rows do, which are fewer than dimensions
    features = _with_one(rows @ basis)
    penalty = np.full(features.shape[1], 1 / c)
    if intercept == "free":
        penalty[-1] = 0.0
    weights = np.zeros(features.shape[1])
    loss = _loss(features, labels, penalty, weights)
    for _ in range(MAX_STEPS):
        chance = _logistic(features @ weights)
        gradient = features.T @ (chance - labels) + penalty * weights
        curvature = (features * (chance * (1 - chance))[:, None]).T @ features + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (found := _loss(features, labels, penalty, weights - size * step)) > loss and size > TOLERANCE:
            size /= 2
        weights, loss = weights - size * step, found
        if float(np.abs(size * step).max()) < TOLERANCE:
            break
    return np.append(basis @ weights[:-1], weights[-1])


def _loss(features: DoubleArray, labels: DoubleArray, penalty: DoubleArray, weights: DoubleArray) -> float:
    scores = features @ weights
    return float((np.logaddexp(0, scores) - labels * scores).sum() + (penalty * weights**2).sum() / 2)


def _logistic(scores: DoubleArray) -> DoubleArray:
    return np.asarray(np.exp(-np.logaddexp(0, -scores)))


def _with_one(rows: DoubleArray) -> DoubleArray:
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
