"""A training that goes on from known words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.vocabulary import Vocabulary
from tests.trainer.algorithms.word2vec.test_training import Killed, chosen, two_topics
from trainer.algorithms.algorithm import Start, Trained, Work
from trainer.algorithms.word2vec import training as word2vec
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import Checkpoints, FolderCheckpoints
from trainer.steps.progress import Progress, Report, ignore

PARAMETERS = chosen(learning_rate=0.0125)


@pytest.fixture(scope="module")
def corpus() -> EncodedCorpus:
    """Its last word is said to be known, and is not in the text."""
    corpus = two_topics(400)
    words, counts = corpus.vocabulary.words(), corpus.vocabulary.counts
    return replace(corpus, vocabulary=Vocabulary.from_words([*words, "absent"], [*counts, 1]))


@pytest.fixture(scope="module")
def parent(corpus: EncodedCorpus) -> Trained:
    return word2vec.train(Work(corpus, Path("unused"), 1, ignore, None), chosen(seed=9))


def start_of(parent: Trained, **changes: Any) -> Start:
    """All words but the two most frequent ones are known."""
    vectors, ids = parent.arrays["vectors"], np.arange(2, len(parent.arrays["vectors"]))
    others = {name: rows[ids].copy() for name, rows in parent.others.items()}
    shares = np.full(len(ids), 0.5, np.float32)
    return replace(Start(ids, shares, vectors[ids], others, np.zeros(len(ids), np.bool_), 0.5, "m@1"), **changes)


def train(
    corpus: EncodedCorpus,
    start: Start,
    parameters: Word2VecHyperparameters = PARAMETERS,
    report: Report = ignore,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    return word2vec.train(Work(corpus, Path("unused"), 1, report, checkpoints, start), parameters)


def distances(trained: Trained, start: Start) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(trained.arrays["vectors"][start.ids] - start.vectors, axis=1))


def test_it_begins_where_the_words_were(corpus: EncodedCorpus, parent: Trained) -> None:
    found = train(corpus, start_of(parent))
    loss, before = found.facts["epochs"][0]["held_out_loss"], parent.facts["epochs"][-1]["held_out_loss"]
    fresh = word2vec.train(Work(corpus, Path("unused"), 1, ignore, None), PARAMETERS).facts["epochs"][0]
    assert loss < before + 0.1 < fresh["held_out_loss"]


def test_frozen_words_keep_their_bits_and_others_move(corpus: EncodedCorpus, parent: Trained) -> None:
    frozen = np.arange(21) < 5
    start = start_of(parent, is_frozen=frozen)
    found = train(corpus, start, PARAMETERS.model_copy(update={"threads": 2}))
    assert found.is_kept is not None
    assert found.arrays["vectors"][2:7].tobytes() == start.vectors[:5].tobytes()
    assert np.flatnonzero(found.is_kept).tolist() == [2, 3, 4, 5, 6, 22], "the absent word has not moved either"
    assert (distances(found, start)[5:-1] > 1e-3).all()


def test_an_anchor_holds_each_word_by_the_share_that_was_known(corpus: EncodedCorpus, parent: Trained) -> None:
    free, held = (train(corpus, start_of(parent, anchor_strength=strength)) for strength in (0.0, 20.0))
    start = start_of(parent)
    assert distances(held, start)[:-1].mean() < 0.7 * distances(free, start)[:-1].mean()
    shares = np.where(np.arange(21) % 2, 0.9, 0.01).astype(np.float32)
    known = distances(train(corpus, start_of(parent, anchor_strength=20.0, shares=shares)), start)[:-1]
    assert known[1::2].mean() < 0.8 * known[::2].mean()


@pytest.mark.parametrize("objective", ["negative-sampling", "hierarchical-softmax"])
def test_without_output_rows_they_are_fitted_first(corpus: EncodedCorpus, parent: Trained, objective: str) -> None:
    seen: list[Progress] = []
    parameters = chosen(learning_rate=0.0125, objective=objective)
    found = train(corpus, start_of(parent, others=None), parameters, seen.append)
    loss = found.facts["epochs"][0]["held_out_loss"]
    fresh = word2vec.train(Work(corpus, Path("unused"), 1, ignore, None), parameters).facts["epochs"][0]
    assert loss < fresh["held_out_loss"] - 0.1
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1], len(found.facts["epochs"])) == (0.0, 1.0, 2)


def test_sums_of_both_rows_go_on_as_well(corpus: EncodedCorpus) -> None:
    parameters = chosen(output="input+output", learning_rate=0.0125)
    parent = word2vec.train(Work(corpus, Path("unused"), 1, ignore, None), parameters)
    start = start_of(parent)
    found = train(corpus, start, parameters)
    assert found.facts["epochs"][0]["held_out_loss"] < parent.facts["epochs"][-1]["held_out_loss"] + 0.1
    nothing = replace(corpus, ids=np.zeros(0, np.int32), n_tokens=0)
    np.testing.assert_allclose(train(nothing, start, parameters).arrays["vectors"][2:], start.vectors, atol=1e-6)


def test_a_text_that_adds_nothing_leaves_all_as_it_was(corpus: EncodedCorpus, parent: Trained) -> None:
    start = start_of(parent)
    for ids in (np.zeros(0, np.int32), np.array([3, -1, 4, -1], np.int32)):  # no word, none beside another
        nothing = replace(corpus, ids=ids, n_tokens=int(np.count_nonzero(ids >= 0)))
        found = train(nothing, start)
        assert found.is_kept is not None
        assert found.is_kept[2:].all()
        assert found.arrays["vectors"][2:].tobytes() == start.vectors.tobytes()


@pytest.mark.parametrize("has_others", [True, False])
def test_resuming_equals_not_stopping(
    corpus: EncodedCorpus, parent: Trained, has_others: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the fitting of output rows or in the first epoch, and after it: the same bytes as in one go."""
    monkeypatch.setattr(word2vec, "LARGEST_HELD_CHUNK", 2)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.001)
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    start = start_of(parent, is_frozen=np.arange(21) < 3, **({} if has_others else {"others": None}))
    whole = train(corpus, start).arrays["vectors"]
    for n_saves in (1, 3):
        checkpoints, seen = FolderCheckpoints(tmp_path, 0.0), [0]
        save = checkpoints.save

        def save_and_die(arrays: Any, state: Any, n: int = n_saves, save: Any = save, seen: list[int] = seen) -> None:
            save(arrays, state)
            seen[0] += 1
            if seen[0] == n:
                raise Killed

        checkpoints.save = save_and_die  # type: ignore[method-assign] # replaced for this test
        with pytest.raises(Killed):
            train(corpus, start, checkpoints=checkpoints)
    resumed = train(corpus, start, checkpoints=FolderCheckpoints(tmp_path, 1e9))
    assert resumed.arrays["vectors"].tobytes() == whole.tobytes()
    other = train(corpus, replace(start, name="m@2"), checkpoints=FolderCheckpoints(tmp_path, 1e9))
    assert other.facts["epochs"][0]["n_kept"] == corpus.n_tokens, "another start's checkpoint is none of its own"
