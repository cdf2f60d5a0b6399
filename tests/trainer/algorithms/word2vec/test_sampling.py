from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.algorithms.word2vec.sampling import keep_limits, keep_probabilities, noise_distribution


def test_keep_probability_is_word2vec_c_s() -> None:
    """sqrt(t / f) + t / f of the word's share f, capped at 1; t = 0 keeps everything."""
    counts = np.array([600, 399, 1])
    expected = [math.sqrt(0.01 / 0.6) + 0.01 / 0.6, math.sqrt(0.01 / 0.399) + 0.01 / 0.399, 1.0]
    assert keep_probabilities(counts, 0.01) == pytest.approx(expected)
    assert keep_probabilities(counts, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_limits_are_exact_to_32_bits() -> None:
    limits = keep_limits(np.array([1.0, 0.5, 1e-6]))
    assert limits.dtype == np.uint32
    assert limits.tolist() == [2**32 - 1, 2**31 - 1, round(1e-6 * 2**32) - 1]


@pytest.mark.parametrize("exponent", [0.75, 0.0, 1.0])
def test_noise_is_count_to_the_exponent(exponent: float) -> None:
    weights = np.array([81.0, 16.0, 1.0]) ** exponent
    assert noise_distribution(np.array([81, 16, 1]), exponent) == pytest.approx(weights / weights.sum())
