"""GloVe's hyperparameters: defaults that depend on others, and bounds with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.core.hyperparameters import GloVeHyperparameters


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, 0.05), ({"glove_update": "standard"}, 0.1), ({"glove_update": "standard", "learning_rate": 0.02}, 0.02)],
)
def test_the_learning_rate_goes_by_the_update(given: dict[str, Any], expected: float) -> None:
    chosen = GloVeHyperparameters.model_validate(given)
    assert chosen.learning_rate == chosen.initial_learning_rate == expected
    assert GloVeHyperparameters.model_validate(chosen.model_dump()) == chosen


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"window": 21}, "window 21 needs distance_weighting"),
        ({"window": 0}, "greater than or equal to 1"),
        ({"x_max": 0}, "greater than 0"),
        ({"x_max": float("inf")}, "finite"),
        ({"glove_update": "adam"}, "'standard' or 'reference'"),
        ({"output": "both"}, "'word.context', 'word' or 'context'"),
        ({"epochs": 3, "stop_patience": 3}, "smaller than epochs"),
        ({"memory_limit_bytes": 1000}, "greater than or equal to 67108864"),
        ({"n_negatives": 5}, "not permitted"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        GloVeHyperparameters.model_validate(given)
