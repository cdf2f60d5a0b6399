"""Training on n-grams that goes on from a version: which rows it begins with, and which are held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hyperparameters import FastTextHyperparameters
from app.core.text.ngrams import ngram_hashes
from tests.trainer.algorithms.fasttext.test_training import bytes_of, chosen, forms
from tests.trainer.algorithms.word2vec.test_training import Killed, encoded
from trainer.algorithms.algorithm import Start, Trained, Work
from trainer.algorithms.fasttext.training import train
from trainer.algorithms.word2vec import training as word2vec
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import Checkpoints, FolderCheckpoints
from trainer.steps.progress import ignore

PARAMETERS = chosen(learning_rate=0.025)


@pytest.fixture(scope="module")
def corpus() -> EncodedCorpus:
    return forms()


@pytest.fixture(scope="module")
def parent(corpus: EncodedCorpus) -> Trained:
    return train(Work(corpus, Path("unused"), 1, ignore, None), chosen(seed=9, epochs=3))


def start_of(parent: Trained, **changes: Any) -> Start:
    """All words but the two most frequent ones are known."""
    vectors = parent.arrays["vectors"]
    ids = np.arange(2, len(vectors))
    others = {name: rows[ids].copy() for name, rows in parent.others.items()}
    shares, frozen = np.full(len(ids), 0.5, np.float32), np.zeros(len(ids), np.bool_)
    start = Start(ids, shares, vectors[ids], others, frozen, 0.5, "m@1", parent.parts)
    return replace(start, **changes)


def go_on(
    corpus: EncodedCorpus,
    start: Start,
    parameters: FastTextHyperparameters = PARAMETERS,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    return train(Work(corpus, Path("unused"), 1, ignore, checkpoints, start), parameters)


def distances(found: Trained, start: Start) -> float:
    return float(np.linalg.norm(found.arrays["vectors"][start.ids] - start.vectors, axis=1).mean())


@pytest.mark.parametrize("has_others", [True, False])
def test_it_begins_where_words_and_n_grams_were(corpus: EncodedCorpus, parent: Trained, has_others: bool) -> None:
    start = start_of(parent, **({} if has_others else {"others": None}))
    found = go_on(corpus, start, PARAMETERS.model_copy(update={"epochs": 1}))
    loss, before = found.facts["epochs"][0]["held_out_loss"], parent.facts["epochs"][-1]["held_out_loss"]
    fresh = train(Work(corpus, Path("unused"), 1, ignore, None), PARAMETERS).facts["epochs"][0]
    assert loss < before + 0.1 < fresh["held_out_loss"]


def test_what_adds_nothing_leaves_vectors_and_rows_as_they_were(corpus: EncodedCorpus, parent: Trained) -> None:
    nothing = replace(corpus, ids=np.zeros(0, np.int32), n_tokens=0)
    found = go_on(nothing, start := start_of(parent))
    assert found.is_kept is not None
    assert found.is_kept[2:].all()
    np.testing.assert_allclose(found.arrays["vectors"][2:], start.vectors, atol=1e-6)
    assert found.parts is not None
    assert parent.parts is not None
    assert found.parts.keys.tobytes() == parent.parts.keys.tobytes()
    assert found.parts.vectors.tobytes() == parent.parts.vectors.tobytes()


def test_rows_of_frozen_words_stay_and_others_learn(corpus: EncodedCorpus, parent: Trained) -> None:
    words = corpus.vocabulary.words()
    start = start_of(parent, is_frozen=np.array([word.startswith("king") for word in words[2:]]))
    found = go_on(corpus, start, PARAMETERS.model_copy(update={"threads": 2}))
    assert found.is_kept is not None
    assert found.parts is not None
    assert parent.parts is not None
    frozen = [words[i] for i in start.ids[start.is_frozen].tolist()]
    assert {words[i] for i in np.flatnonzero(found.is_kept)} == set(frozen)
    held = {code % 5000 for word in frozen for code in ngram_hashes(word, 3, 6)}
    same = (found.parts.vectors == parent.parts.vectors).all(axis=1)
    assert set(parent.parts.keys[same].tolist()) == held
    assert 0 < len(held) < len(same)


def test_rows_are_held_by_the_share_of_their_uses_that_was_learnt(corpus: EncodedCorpus, parent: Trained) -> None:
    start = start_of(parent)
    free, held = (go_on(corpus, replace(start, anchor_strength=strength)) for strength in (0.0, 20.0))
    assert distances(held, start) < 0.7 * distances(free, start)
    unseen = replace(start, anchor_strength=20.0, shares=np.full(len(start.ids), 1e-6, np.float32))
    assert distances(go_on(corpus, unseen), start) == pytest.approx(distances(free, start), rel=0.05)


def test_n_grams_of_words_that_leave_are_left_out_and_new_ones_begin(parent: Trained) -> None:
    corpus = encoded([["kinglich", "kings", "berg", "bergs"] * 3] * 50)
    words = forms().vocabulary.words()
    known = [word for word in corpus.vocabulary.words() if word in words]
    ids = np.array([corpus.vocabulary.ids()[word] for word in known])
    rows = np.array([words.index(word) for word in known])
    start = replace(
        start_of(parent), ids=ids, vectors=parent.arrays["vectors"][rows], shares=np.full(2, 0.5, np.float32)
    )
    start = replace(start, others=None, is_frozen=np.ones(2, np.bool_))
    found = go_on(corpus, start)
    assert found.parts is not None
    expected = {code % 5000 for word in corpus.vocabulary.words() for code in ngram_hashes(word, 3, 6)}
    assert found.parts.keys.tolist() == sorted(expected)
    np.testing.assert_allclose(found.arrays["vectors"][ids], start.vectors, atol=1e-5)


@pytest.mark.parametrize("has_others", [True, False])
def test_resuming_equals_not_stopping(
    corpus: EncodedCorpus, parent: Trained, has_others: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word2vec, "LARGEST_HELD_CHUNK", 2)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.001)
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    start = start_of(parent, **({} if has_others else {"others": None}))
    checkpoints = FolderCheckpoints(tmp_path, 0.0)
    save = checkpoints.save

    def save_and_die(arrays: Any, state: Any) -> None:
        save(arrays, state)
        raise Killed

    checkpoints.save = save_and_die  # type: ignore[method-assign] # replaced for this test
    with pytest.raises(Killed):
        go_on(corpus, start, checkpoints=checkpoints)
    assert bytes_of(go_on(corpus, start, checkpoints=FolderCheckpoints(tmp_path, 1e9))) == bytes_of(
        go_on(corpus, start)
    )
