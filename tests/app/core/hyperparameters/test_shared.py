"""What all algorithms can be told, they are told by the same names, bounds and rules."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.core.hyperparameters import ALGORITHMS, GloVeHyperparameters, Hyperparameters, Word2VecHyperparameters


@pytest.mark.parametrize("model", ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_algorithm_has_the_shared_fields_within_the_same_bounds(model: type[Hyperparameters]) -> None:
    for field, bad in {"dim": 1, "epochs": 0, "min_count": 0, "max_words": 1, "seed": -1, "threads": 257}.items():
        with pytest.raises(ValidationError, match=field):
            model.model_validate({field: bad})
    with pytest.raises(ValidationError, match="smaller than epochs"):
        model.model_validate({"epochs": 3, "stop_patience": 3})
    assert model.model_validate({"epochs": 4, "stop_patience": 3}).stop_patience == 3


@pytest.mark.parametrize("model", ALGORITHMS.values(), ids=ALGORITHMS)
def test_true_and_false_are_no_numbers(model: type[Hyperparameters]) -> None:
    numbers = [
        name for name, field in model.model_fields.items() if field.annotation in {int, float, int | None, float | None}
    ]
    assert {"dim", "epochs", "seed", "learning_rate", "threads"} <= set(numbers)
    for name in numbers:
        for boolean in (True, False):
            with pytest.raises(ValidationError, match=f"{name}\n.*are no numbers"):
                model.model_validate({name: boolean})


def test_switches_are_booleans() -> None:
    assert Word2VecHyperparameters.model_validate({"shrink_windows": False}).shrink_windows is False
    assert GloVeHyperparameters.model_validate({"symmetric": False}).symmetric is False
    for number in (0, 1, "false"):
        with pytest.raises(ValidationError, match=r"shrink_windows\n.*true or false"):
            Word2VecHyperparameters.model_validate({"shrink_windows": number})
        with pytest.raises(ValidationError, match=r"symmetric\n.*true or false"):
            GloVeHyperparameters.model_validate({"symmetric": number})


@pytest.mark.parametrize("model", ALGORITHMS.values(), ids=ALGORITHMS)
def test_what_the_api_says_of_it_is_short_and_without_benchmark_figures(model: type[Hyperparameters]) -> None:
    description = model.model_json_schema()["description"]
    assert len(description) < 520
    assert "benchmark" not in description
