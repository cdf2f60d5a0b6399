"""A training that went wrong without leaving float32 is no result either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import CorpusTooSmall, TrainingDiverged, VectorsNotFinite
from app.core.hyperparameters import ALGORITHMS as HYPERPARAMETERS
from app.core.text import TextSpec
from tests.conftest import DATA
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Trained, Work
from trainer.corpus.encode import encode
from trainer.steps.progress import ignore


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 types by Zipf's law, 20,000 tokens, 20 a line."""
    random = np.random.default_rng(0)
    drawn = np.minimum(random.zipf(1.3, 20_000), 400)
    path = tmp_path_factory.mktemp("text") / "zipf.txt"
    path.write_text("\n".join(" ".join(f"w{i}" for i in drawn[s : s + 20]) for s in range(0, 20_000, 20)))
    return path


def train(source: Path, folder: Path, algorithm: str, **told: Any) -> Trained:
    corpus = encode(source, folder, spec=TextSpec(), min_count=1)
    chosen = HYPERPARAMETERS[algorithm].model_validate({"min_count": 1, "threads": 1, **told})
    return ALGORITHMS[algorithm](Work(corpus, folder, 1, ignore, None), chosen)


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        ("word2vec", {"learning_rate": 0.4}),
        ("word2vec", {"learning_rate": 1.0, "architecture": "cbow", "cbow_gradient": "legacy"}),
        ("word2vec", {"learning_rate": 1.0, "objective": "hierarchical-softmax"}),
        ("glove", {"learning_rate": 2.0}),
        ("glove", {"learning_rate": 10.0, "epochs": 1}),
    ],
)
def test_a_diverged_training_is_no_result(text: Path, tmp_path: Path, algorithm: str, told: dict[str, Any]) -> None:
    with pytest.raises((TrainingDiverged, VectorsNotFinite), match="Lower"):
        train(text, tmp_path, algorithm, **told)


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        ("word2vec", {}),
        ("word2vec", {"architecture": "cbow"}),
        ("word2vec", {"objective": "hierarchical-softmax", "epochs": 1}),
        ("glove", {}),
        ("glove", {"epochs": 1}),
        ("fasttext", {}),
        ("fasttext", {"architecture": "cbow"}),
    ],
)
def test_the_default_rates_descend(text: Path, tmp_path: Path, algorithm: str, told: dict[str, Any]) -> None:
    assert np.isfinite(train(text, tmp_path, algorithm, **told).arrays["vectors"]).all()


@pytest.mark.parametrize("objective", ["negative-sampling", "hierarchical-softmax"])
@pytest.mark.parametrize("shrink_windows", [False, True])
def test_windows_of_a_hundred_words_descend(tmp_path: Path, objective: str, shrink_windows: bool) -> None:
    drawn = np.random.default_rng(0).zipf(1.1, 200_000)
    source = tmp_path / "one-line.txt"
    source.write_text(" ".join(f"w{i}" for i in drawn[drawn <= 500][:20_000]))
    wide = {
        "dim": 100,
        "window": 100,
        "shrink_windows": shrink_windows,
        "subsampling_threshold": 0.0,
        "objective": objective,
    }
    epochs = train(source, tmp_path, "word2vec", **wide).facts["epochs"]
    untrained = {"negative-sampling": 6 * np.log(2), "hierarchical-softmax": 4.9}[objective]  # of a balanced tree: less
    assert epochs[-1]["held_out_loss"] < untrained
    assert epochs[-1]["held_out_loss"] < epochs[0]["held_out_loss"]


def test_a_text_that_subsampling_empties_says_so(tmp_path: Path) -> None:
    source = DATA / "faults" / "F10-small-vocabulary.txt"
    with pytest.raises(
        CorpusTooSmall, match=r"Subsampling left 0 of \d+ tokens.*set subsampling_threshold \(1e-12\) to 0"
    ):
        train(source, tmp_path, "word2vec", subsampling_threshold=1e-12)
