"""Hyperparameters as they are typed."""

from __future__ import annotations

import pytest

from app.core.hyperparameters import GloVeHyperparameters, Word2VecHyperparameters
from app.core.hyperparameters.assigned import assigned


def test_values_are_json_or_plain_text() -> None:
    typed = ["dim=200", "architecture=cbow", "shrink_windows=false", "subsampling_threshold=1e-4", "max_words=null"]
    assert assigned(Word2VecHyperparameters, typed) == {
        "dim": 200,
        "architecture": "cbow",
        "shrink_windows": False,
        "subsampling_threshold": 1e-4,
        "max_words": None,
    }
    assert assigned(GloVeHyperparameters, ["x_max=10"]) == {"x_max": 10}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("dim", "'dim' is not NAME=VALUE"),
        ("epoch=3", r"no hyperparameter 'epoch'. Did you mean epochs\? There are: .*n_negatives"),
        ("vector_size=3", r"no hyperparameter 'vector_size'. Did you mean dim\? There are: "),
        ("objective=hs", r"or 'hierarchical-softmax'. Did you mean 'hierarchical-softmax'\?"),
        ("architecture=skipgram", r"=skipgram: Input should be 'skip-gram' or 'cbow'. Did you mean 'skip-gram'\?"),
        ("dim=1", "dim=1: Input should be greater than or equal to 2"),
        ("dim=abc", "dim=abc: Input should be a valid integer"),
        ("learning_rate=NaN", "learning_rate=nan: Input should be a finite number"),
        ("min_learning_rate=1", "^min_learning_rate must not exceed learning_rate$"),
    ],
)
def test_what_is_wrong_is_told_in_plain_words(typed: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        assigned(Word2VecHyperparameters, [typed])
