"""What a fastText job may set, and what is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.core.costs import EXPECTED
from app.core.hyperparameters import FastTextHyperparameters


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"min_n": 4, "max_n": 3}, "min_n must not exceed max_n"),
        ({"min_n": 0}, "greater than or equal to 1"),
        ({"max_n": 65}, "less than or equal to 64"),
        ({"n_buckets": 0}, "greater than or equal to 1"),
        ({"unit": "syllable"}, "'character' or 'jamo'"),
        ({"unit": "jamo", "min_n": 6}, "min_n must not exceed max_n"),
        ({"output": "input+output"}, "'input'"),
        ({"preset": "item2vec"}, "'fast', 'quality' or 'small-corpus'"),
        ({"n_negatives": 9, "objective": "hierarchical-softmax"}, "n_negatives needs objective"),
        ({"bucket": 9}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        FastTextHyperparameters.model_validate(given)


def test_what_is_left_out_is_as_in_fasttext() -> None:
    chosen = FastTextHyperparameters()
    assert (chosen.architecture, chosen.min_n, chosen.max_n, chosen.n_buckets) == ("skip-gram", 3, 6, 2_000_000)
    assert chosen.learning_rate == 0.05
    assert FastTextHyperparameters(architecture="cbow", cbow_gradient="legacy").learning_rate == 0.05
    exact = FastTextHyperparameters(architecture="cbow", cbow_gradient="exact")
    assert (exact.learning_rate, exact.min_learning_rate) == pytest.approx((0.3, 3e-5))
    root = FastTextHyperparameters(preset="fast")
    assert (root.learning_rate, root.min_learning_rate) == pytest.approx((0.15, 0.0075))
    jamo = FastTextHyperparameters(unit="jamo")
    assert (jamo.min_n, jamo.max_n, FastTextHyperparameters(unit="jamo", max_n=6).max_n) == (3, 5, 6)
    assert FastTextHyperparameters.model_validate(jamo.model_dump(mode="json")) == jamo


def test_a_training_is_expected_to_take_longer_with_more_n_grams() -> None:
    def seconds(**given: Any) -> float:
        return EXPECTED["fasttext"](10**6, FastTextHyperparameters.model_validate(given), 1)[None]

    word2vec = EXPECTED["word2vec"](10**6, FastTextHyperparameters(), 1)[None]
    assert word2vec < seconds(min_n=6) < seconds() < seconds(min_n=2)
