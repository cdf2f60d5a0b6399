from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.core.hyperparameters import Word2VecHyperparameters


@pytest.mark.parametrize(
    ("given", "rate", "last"),
    [
        ({}, 0.025, 2.5e-6),
        ({"architecture": "cbow"}, 0.12, 0.006),
        ({"architecture": "cbow", "epochs": 1}, 0.12, 0.03),
        ({"architecture": "cbow", "objective": "hierarchical-softmax"}, 0.09, 0.0045),
        ({"architecture": "cbow", "cbow_gradient": "exact"}, 0.15, 1.5e-5),
        ({"architecture": "cbow", "cbow_gradient": "exact", "objective": "hierarchical-softmax"}, 0.075, 7.5e-6),
        ({"architecture": "cbow", "cbow_gradient": "legacy"}, 0.05, 5e-6),
        ({"preset": "fast"}, 0.12, 0.006),
        ({"architecture": "cbow", "epochs": "10"}, 0.12, 0.003),
        ({"preset": "fast", "epochs": 20}, 0.12, 0.0015),
        ({"architecture": "cbow", "learning_rate": 0.01}, 0.01, 0.0005),
        ({"architecture": "cbow", "min_learning_rate": 0.0}, 0.12, 0.0),
    ],
)
def test_learning_rates_by_architecture(given: dict[str, Any], rate: float, last: float) -> None:
    parameters = Word2VecHyperparameters.model_validate(given)
    assert parameters.learning_rate == rate
    assert parameters.min_learning_rate == pytest.approx(last)


@pytest.mark.parametrize("epochs", ["five", 0, None])
def test_epochs_that_cannot_be_are_refused_before_a_rate_is_made_of_them(epochs: object) -> None:
    with pytest.raises(ValidationError, match="epochs"):
        Word2VecHyperparameters.model_validate({"architecture": "cbow", "epochs": epochs})


def test_a_field_wins_over_the_preset() -> None:
    parameters = Word2VecHyperparameters(preset="quality", dim=50)
    assert (parameters.dim, parameters.n_negatives, parameters.epochs) == (50, 10, 10)


def test_resolved_hyperparameters_stay_as_they_are() -> None:
    for preset in ("fast", "quality", "small-corpus", "item2vec"):
        parameters = Word2VecHyperparameters.model_validate({"preset": preset})
        assert Word2VecHyperparameters.model_validate(parameters.model_dump()) == parameters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learning_rate": 0.01, "min_learning_rate": 0.02}, "min_learning_rate must not exceed"),
        ({"objective": "hierarchical-softmax", "output": "input+output"}, "needs negative-sampling"),
        ({"cbow_gradient": "legacy"}, "'legacy' needs architecture 'cbow'"),
        ({"cbow_gradient": "root"}, "'root' needs architecture 'cbow'"),
        ({"objective": "hierarchical-softmax", "n_negatives": 20}, "n_negatives needs objective 'negative-sampling'"),
        ({"objective": "hierarchical-softmax", "noise_exponent": 1.0}, "noise_exponent needs objective"),
        ({"stop_patience": 5, "epochs": 5}, "smaller than epochs"),
        ({"preset": "best"}, "preset"),
        ({"alpha": 0.1}, "alpha"),
        ({"dim": 1}, "dim"),
        ({"learning_rate": "nan"}, "learning_rate"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Word2VecHyperparameters.model_validate(given)


def test_items_have_their_whole_line_as_context() -> None:
    parameters = Word2VecHyperparameters(preset="item2vec", epochs=7)
    assert (parameters.window, parameters.shrink_windows, parameters.subsampling_threshold) == (100, False, 0.0)
    assert (parameters.noise_exponent, parameters.output, parameters.epochs) == (-0.5, "input+output", 7)
