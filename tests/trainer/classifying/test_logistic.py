"""The fit against an independent one, and the parts of it against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles import logistic as oracle
from trainer.classifying.designs import Dense, Scale, Sparse
from trainer.classifying.logistic import Design, fit, linear_of


def sample(n_classes: int, n_texts: int = 40, dim: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features and noisy labels; every class occurs."""
    rng = np.random.default_rng(n_classes)
    features = rng.standard_normal((n_texts, dim)) @ rng.standard_normal((dim, dim)) + 3
    scores = features @ rng.standard_normal((dim, n_classes)) + rng.gumbel(size=(n_texts, n_classes))
    labels = scores.argmax(axis=1)
    labels[:n_classes] = range(n_classes)
    return features.astype(np.float32), labels


def sparse_of(features: np.ndarray) -> Sparse:
    """All entries, rows of zeros too."""
    n_texts, dim = features.shape
    columns = np.tile(np.arange(dim, dtype=np.int32), n_texts)
    return Sparse(np.arange(n_texts + 1, dtype=np.int64) * dim, columns, features.ravel(), dim)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("c", [0.03, 3.0])
def test_the_fit_is_where_an_independent_one_ends(n_classes: int, c: float) -> None:
    features, labels = sample(n_classes)
    dense = Dense(features)
    rows = (features.astype(np.float64) - dense.scale.mean) / dense.scale.deviation
    expected = oracle.fitted(rows.tolist(), labels.tolist(), n_classes, c)
    found = fit(dense, labels, n_classes, c, tolerance=1e-9)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    best = oracle.objective(expected, rows.tolist(), labels.tolist(), n_classes, c)
    assert oracle.objective(found, rows.tolist(), labels.tolist(), n_classes, c) <= best + 1e-9
    sparse = sparse_of(rows.astype(np.float32))
    np.testing.assert_allclose(fit(sparse, labels, n_classes, c, tolerance=1e-9), found, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("make", [Dense, sparse_of])
def test_gradients_are_those_of_the_loss(n_classes: int, make: type[Dense]) -> None:
    features, labels = sample(n_classes)
    design: Design = make(features)
    weights = np.random.default_rng(1).standard_normal((1 if n_classes == 2 else n_classes, 4))
    gradient = design.loss(weights, labels)[1]
    for place in np.ndindex(weights.shape):
        step = np.zeros_like(weights)
        step[place] = 1e-5
        two_sided = (design.loss(weights + step, labels)[0] - design.loss(weights - step, labels)[0]) / 2e-5
        assert gradient[place] == pytest.approx(two_sided, abs=1e-5)


def test_a_constant_feature_does_no_harm() -> None:
    features, labels = sample(2)
    with_constant = np.concatenate([features, np.full((len(features), 1), 7, np.float32)], axis=1)
    found = fit(Dense(with_constant), labels, 2, 1.0, tolerance=1e-9)
    np.testing.assert_allclose(found[0, [0, 1, 2, 4]], fit(Dense(features), labels, 2, 1.0, tolerance=1e-9)[0])
    assert found[0, 3] == 0


def test_features_have_the_mean_0_and_the_variance_1() -> None:
    scale = Scale.of(np.array([[1, 5], [3, 5]], np.float32))
    assert (scale.mean.tolist(), scale.deviation.tolist()) == ([2, 5], [1, 1])


def test_scores_of_all_classes_add_up_to_nothing() -> None:
    two = linear_of(np.array([[2.0, -4.0, 6.0]]))
    assert (two.weights.tolist(), two.biases.tolist()) == ([[-1, 2], [1, -2]], [-3, 3])
    three = linear_of(np.array([[1.0, 0.0], [2.0, 0.0], [6.0, 3.0]]))
    assert (three.weights.tolist(), three.biases.tolist()) == ([[-2], [-1], [3]], [-1, -1, 2])
