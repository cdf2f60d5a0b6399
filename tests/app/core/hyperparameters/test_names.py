from __future__ import annotations

import pytest

from app.core.hyperparameters import ALGORITHMS
from app.core.hyperparameters.names import OTHER_NAMES, meant


def test_every_other_name_stands_for_one_of_ours() -> None:
    ours = {name for model in ALGORITHMS.values() for name in model.model_fields}
    assert set(OTHER_NAMES.values()) - ours == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vector_size", "dim"),
        ("-vector-size", "dim"),
        ("size", "dim"),
        ("sg", "architecture"),
        ("hs", "objective"),
        ("workers", "threads"),
        ("sample", "subsampling_threshold"),
        ("negative", "n_negatives"),
        ("alpha", "learning_rate"),
        ("iter", "epochs"),
        ("epoch", "epochs"),
        ("ws", "window"),
        ("minCount", "min_count"),
        ("--min-count", "min_count"),
        ("lr", "learning_rate"),
        ("learning_rat", "learning_rate"),
        ("colour", None),
        ("x" * 100_000, None),
    ],
)
def test_names_of_other_tools_and_near_spellings(name: str, expected: str | None) -> None:
    assert meant(name, ALGORITHMS["word2vec"].model_fields) == expected


def test_a_name_that_is_not_allowed_here_is_not_meant() -> None:
    assert meant("sg", ALGORITHMS["glove"].model_fields) is None
    assert meant("x-max", ALGORITHMS["glove"].model_fields) == "x_max"
    assert meant("anything", []) is None
