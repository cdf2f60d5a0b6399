from __future__ import annotations

import numpy as np
import pytest

from app.core.nearest.text_vectors import TEXT_WORDS, text_component, word_weights
from tests.published import random_vectors


def test_weights_follow_the_formula() -> None:
    np.testing.assert_allclose(word_weights(np.array([900, 99, 1]), 1000), [1e-3 / 0.901, 1e-3 / 0.1, 0.5])


def test_component_is_that_of_many_drawn_texts() -> None:
    """The closed form against the paper's way: the first singular vector of sampled texts."""
    vectors, counts = random_vectors(50, 5) + np.float32(0.4), 1000 // np.arange(1, 51)
    rng = np.random.default_rng(3)
    texts = rng.choice(50, (40_000, TEXT_WORDS), p=counts / counts.sum())
    weights = word_weights(counts, int(counts.sum()))
    means = (weights[texts][..., None] * vectors[texts]).mean(axis=1)
    drawn = np.linalg.svd(means, full_matrices=False)[2][0]
    assert abs(float(drawn @ text_component(vectors, counts))) == pytest.approx(1, abs=2e-3)


def test_component_has_a_fixed_sign() -> None:
    component = text_component(random_vectors(50, 5), 1000 // np.arange(1, 51))
    assert component[np.argmax(np.abs(component))] > 0
    np.testing.assert_allclose(component, text_component(-random_vectors(50, 5), 1000 // np.arange(1, 51)), atol=1e-6)
