from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from app.core.evaluation.bias.rnsb import Intercept, fit_logistic, rnsb


def made_up() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    rows = rng.standard_normal((30, 6)) * 2 + 1
    return rows, (rows[:, 0] + rng.standard_normal(30) > 1.5).astype(np.float64)


@pytest.mark.parametrize("intercept", ["free", "penalised"])
def test_the_regression_is_where_a_general_minimiser_ends(intercept: Intercept) -> None:
    rows, labels = made_up()

    def loss(weights: np.ndarray) -> float:
        scores = rows @ weights[:-1] + weights[-1]
        losses = [math.log1p(math.exp(-s if label else s)) for s, label in zip(scores, labels, strict=True)]
        penalised = weights if intercept == "penalised" else weights[:-1]
        return sum(losses) + float(penalised @ penalised) / (2 * 0.3)

    found = fit_logistic(rows, labels, c=0.3, intercept=intercept)
    expected = minimize(loss, np.zeros(7), tol=1e-12).x
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert loss(found) <= loss(expected) + 1e-12


def test_newton_reaches_words_that_are_far_apart() -> None:
    """Full steps from 0 would leap over the minimum."""
    rows, labels = np.array([[-300.0], [-280.0], [250.0], [310.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    weights = fit_logistic(rows, labels, c=1e4, intercept="free")
    chance = 1 / (1 + np.exp(-(rows[:, 0] * weights[0] + weights[1])))
    gradient = float(rows[:, 0] @ (chance - labels)) + weights[0] / 1e4
    assert gradient == pytest.approx(0, abs=1e-6)


def test_the_value_is_the_divergence_from_equal_shares() -> None:
    rows, labels = made_up()
    positive, negative = rows[labels == 0], rows[labels == 1]
    found = rnsb(rows[:5], positive, negative)
    weights = fit_logistic(np.concatenate([positive, negative]), np.sort(labels), c=1.0, intercept="free")
    chance = [1 / (1 + math.exp(-(row @ weights[:-1] + weights[-1]))) for row in rows[:5]]
    shares = [each / sum(chance) for each in chance]
    np.testing.assert_allclose(found.shares, shares, atol=1e-12)
    assert found.value == pytest.approx(sum(share * math.log(share / 0.2) for share in shares), abs=1e-12)
    assert rnsb(np.tile(rows[:1], (4, 1)), positive, negative).value == pytest.approx(0.0, abs=1e-12)
