"""GloVe that goes on from known words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hyperparameters import GloVeHyperparameters
from tests.trainer.algorithms.glove.test_training import zipf_corpus
from trainer.algorithms.algorithm import Start, Trained, Work
from trainer.algorithms.glove import training as glove
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import FolderCheckpoints
from trainer.steps.progress import ignore

OUTPUTS = ["word+context", "word", "context"]


@pytest.fixture(scope="module")
def corpus() -> EncodedCorpus:
    return zipf_corpus(300, 120)


def train(corpus: EncodedCorpus, folder: Path, start: Start | None = None, **chosen: Any) -> Trained:
    checkpoints = chosen.pop("checkpoints", None)
    folder.mkdir(parents=True)
    parameters = GloVeHyperparameters.model_validate({"dim": 16, "epochs": 3, "min_count": 1, "threads": 1} | chosen)
    return glove.train(Work(corpus, folder, 1, ignore, checkpoints, start), parameters)


def start_of(parent: Trained, **changes: Any) -> Start:
    """All words but the two most frequent ones are known."""
    vectors = parent.arrays["vectors"]
    ids = np.arange(2, len(vectors))
    others = {name: rows[ids].copy() for name, rows in parent.others.items()}
    shares = np.full(len(ids), 0.5, np.float32)
    return replace(Start(ids, shares, vectors[ids].copy(), others, np.zeros(len(ids), np.bool_), 0.5, "x"), **changes)


@pytest.mark.parametrize("output", OUTPUTS)
def test_it_begins_where_the_words_were_and_frozen_ones_stay(
    corpus: EncodedCorpus, tmp_path: Path, output: str
) -> None:
    parent = train(corpus, tmp_path / "parent", output=output, epochs=6)
    last = parent.facts["costs"][-1]
    for others in (parent.others, None):
        changes = {} if others else {"others": None}
        start = start_of(parent, is_frozen=np.arange(298) < 50, **changes)
        folder = tmp_path / ("whole" if others else "fitted")
        found = train(corpus, folder, start, output=output, seed=2, learning_rate=0.025)
        again = train(corpus, folder / "again", start, output=output, seed=2, learning_rate=0.025, threads=2)
        assert found.arrays["vectors"].tobytes() == again.arrays["vectors"].tobytes()
        assert found.is_kept is not None
        assert np.flatnonzero(found.is_kept).tolist() == list(range(2, 52))
        assert found.facts["costs"][-1] < (1.2 if others else 4) * last
        if output != "word+context":  # where the sum is taken again, its last bit may differ
            assert found.arrays["vectors"][2:52].tobytes() == start.vectors[:50].tobytes()
        np.testing.assert_allclose(found.arrays["vectors"][2:52], start.vectors[:50], atol=1e-7)


def test_an_anchor_holds_each_word_by_the_share_that_was_known(corpus: EncodedCorpus, tmp_path: Path) -> None:
    parent = train(corpus, tmp_path / "parent")
    shares = np.where(np.arange(298) % 2, 1, 0).astype(np.float32)
    start = start_of(parent, anchor_strength=10.0, shares=shares)
    found = train(zipf_corpus(300, 100), tmp_path / "child", start)
    moved = np.linalg.norm(found.arrays["vectors"][2:] - start.vectors, axis=1)
    assert moved[1::2].mean() < 0.5 * moved[::2].mean()


def test_a_text_that_adds_nothing_leaves_all_as_it_was(corpus: EncodedCorpus, tmp_path: Path) -> None:
    start = start_of(train(corpus, tmp_path / "parent", output="word"))
    nothing = replace(corpus, ids=np.zeros(0, np.int32), n_tokens=0)
    found = train(nothing, tmp_path / "child", start, output="word")
    assert found.arrays["vectors"][2:].tobytes() == start.vectors.tobytes()


def test_resuming_equals_not_stopping(corpus: EncodedCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its second epoch, also where something was fitted first."""
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    start = start_of(train(corpus, tmp_path / "parent"), others=None)
    whole = train(corpus, tmp_path / "whole", start)
    checkpoints = FolderCheckpoints(tmp_path / "saved", 0.0)
    save = checkpoints.save

    def save_and_die(arrays: Any, state: Any) -> None:
        save(arrays, state)
        if len(state["history"]["costs"]) == 2:
            raise KeyboardInterrupt

    checkpoints.save = save_and_die  # type: ignore[method-assign] # replaced for this test
    with pytest.raises(KeyboardInterrupt):
        train(corpus, tmp_path / "killed", start, checkpoints=checkpoints)
    resumed = train(corpus, tmp_path / "resumed", start, checkpoints=FolderCheckpoints(tmp_path / "saved", 1e9))
    assert resumed.arrays["vectors"].tobytes() == whole.arrays["vectors"].tobytes()
