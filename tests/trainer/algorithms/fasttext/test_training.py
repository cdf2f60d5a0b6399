"""Training on n-grams as a whole: which rows there are, what comes out again, and what words to come are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import MemoryShort, VocabularyTooSmall
from app.core.hyperparameters import FastTextHyperparameters
from app.core.table.composing import NgramComposer
from app.core.table.parts import Ngrams
from app.core.text.ngrams import ngram_hashes
from tests.trainer.algorithms.word2vec.test_training import COMBINATIONS, Killed, encoded
from trainer.algorithms.algorithm import Trained, Work
from trainer.algorithms.fasttext.input_rows import RowsOfNgrams
from trainer.algorithms.fasttext.training import train
from trainer.algorithms.word2vec import training as word2vec
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import Checkpoints, FolderCheckpoints
from trainer.steps.progress import ignore

STEMS, ENDINGS = ("king", "walk", "blau", "바다"), ("", "s", "ed", "ing", "lich", "는", "에서")


def forms(n_lines: int = 600) -> EncodedCorpus:
    """Each line has forms of one stem; 바다에서 is in none."""
    generator = np.random.default_rng(1)
    words = [[stem + ending for ending in ENDINGS if stem + ending != "바다에서"] for stem in STEMS]
    return encoded([generator.choice(words[i % len(STEMS)], 8).tolist() for i in range(n_lines)])


def chosen(**given: Any) -> FastTextHyperparameters:
    small = {"dim": 16, "window": 3, "epochs": 2, "threads": 1, "subsampling_threshold": 0.0, "min_count": 1}
    return FastTextHyperparameters.model_validate({**small, "n_buckets": 5000, **given})


def trained(
    corpus: EncodedCorpus, parameters: FastTextHyperparameters, checkpoints: Checkpoints | None = None
) -> Trained:
    return train(Work(corpus, Path("unused"), 1, ignore, checkpoints), parameters)


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_words_to_come_are_near_those_that_they_share_n_grams_with(architecture: str, objective: str) -> None:
    corpus = forms()
    found = trained(corpus, chosen(architecture=architecture, objective=objective, epochs=5))
    first, last = found.facts["epochs"][0], found.facts["epochs"][-1]
    assert last["held_out_loss"] < first["held_out_loss"]
    assert found.parts is not None
    composed = NgramComposer(found.parts, found.parts.composition).compose("바다에서")  # type: ignore[arg-type] # n-grams
    assert composed is not None
    units = found.arrays["vectors"] / np.linalg.norm(found.arrays["vectors"], axis=1, keepdims=True)
    cosines = dict(zip(corpus.vocabulary.words(), (units @ composed.direction).tolist(), strict=True))
    sea = [score for word, score in cosines.items() if word.startswith("바다")]
    assert min(sea) > max(score for word, score in cosines.items() if not word.startswith("바다"))


def test_rows_are_those_of_the_n_grams_that_occur_and_vectors_their_means() -> None:
    corpus = forms()
    parameters = chosen()
    rows = RowsOfNgrams(corpus.vocabulary, parameters)
    training = word2vec.Training(Work(corpus, Path("unused"), 1, ignore, None), parameters, rows)
    vectors = training.run().arrays["vectors"]
    table, parts = training.tables.input_vectors, rows.composition(training.tables.input_vectors)
    words = corpus.vocabulary.words()
    hashes = {word: [code % 5000 for code in ngram_hashes(word, 3, 6)] for word in words}
    assert parts.keys.tolist() == sorted(set().union(*hashes.values()))
    assert len(table) == len(words) + len(parts.keys)
    place = {bucket: i for i, bucket in enumerate(parts.keys.tolist())}
    for i, word in enumerate(words):
        own = table[rows.parts.rows[rows.parts.offsets[i]], :16]
        mean = np.mean([own, *(parts.vectors[place[bucket]] for bucket in hashes[word])], axis=0)
        np.testing.assert_allclose(vectors[i], mean, atol=1e-6)
    uses = np.bincount(rows.parts.rows, np.repeat(corpus.vocabulary.counts, np.diff(rows.parts.offsets)))
    assert (np.diff(uses) <= 0).all(), "what is used most comes first"


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_one_thread_gives_the_same_bytes(architecture: str, objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, parameters = forms(), chosen(architecture=architecture, objective=objective)
    first = trained(corpus, parameters)
    monkeypatch.setattr(word2vec, "LARGEST_CHUNK", 2)
    again = trained(corpus, parameters)
    assert bytes_of(first) == bytes_of(again)
    assert bytes_of(first) != bytes_of(trained(corpus, parameters.model_copy(update={"seed": 2})))


def bytes_of(found: Trained) -> tuple[bytes, bytes]:
    assert found.parts is not None
    return found.arrays["vectors"].tobytes(), found.parts.vectors.tobytes()


def test_resuming_equals_not_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word2vec, "LARGEST_CHUNK", 2)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.001)
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    corpus, parameters = forms(3000), chosen()
    checkpoints = FolderCheckpoints(tmp_path, 0.0)
    save = checkpoints.save

    def save_and_die(arrays: Any, state: Any) -> None:
        save(arrays, state)
        raise Killed

    checkpoints.save = save_and_die  # type: ignore[method-assign] # replaced for this test
    with pytest.raises(Killed):
        trained(corpus, parameters, checkpoints)
    resumed = trained(corpus, parameters, FolderCheckpoints(tmp_path, 1e9))
    assert bytes_of(resumed) == bytes_of(trained(corpus, parameters))


def test_two_threads_learn_as_much_as_one() -> None:
    """With so many lines that what a thread learns late, as other work keeps it from its core, is little."""
    corpus, parameters = forms(24_000), chosen()
    losses = [trained(corpus, parameters.model_copy(update={"threads": n})) for n in (1, 2)]
    one, two = (found.facts["epochs"][-1]["held_out_loss"] for found in losses)
    assert two == pytest.approx(one, rel=0.03)


def test_what_cannot_be_trained_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VocabularyTooSmall):
        trained(encoded([["one"] * 9]), chosen())
    corpus = forms()
    n_rows = RowsOfNgrams(corpus.vocabulary, chosen()).n_rows
    needed = (2 * n_rows + 2 * len(corpus.vocabulary)) * 64
    monkeypatch.setattr("trainer.steps.memory._limits", lambda: iter([needed - 1]))
    with pytest.raises(MemoryShort, match=f"27 words and {n_rows - 27} n-grams x 16"):
        trained(corpus, chosen())
    monkeypatch.setattr("trainer.steps.memory._limits", lambda: iter([needed]))
    trained(corpus, chosen(epochs=1))


def test_words_without_an_n_gram_have_their_own_row_alone() -> None:
    corpus = forms()
    found = trained(corpus, chosen(min_n=30, max_n=30))
    assert found.parts is not None
    assert found.parts.vectors.shape == (0, 16)


def test_jamo_join_forms_that_share_no_syllable() -> None:
    """쵸콜렛 and 갓다 fall among the words of the right topic; the version says what it cuts into."""
    topics = [["초콜릿", "사탕", "과자"], ["됐다", "했다", "갔다"], ["king", "queen", "man"]]
    generator = np.random.default_rng(1)
    corpus = encoded([generator.choice(topics[i % 3], 8).tolist() for i in range(600)])
    found = trained(corpus, chosen(unit="jamo", epochs=5))
    assert found.parts is not None
    assert isinstance(found.parts.composition, Ngrams)
    assert (found.parts.composition.unit, found.parts.composition.max_n) == ("jamo", 5)
    composer = NgramComposer(found.parts, found.parts.composition)
    words, units = corpus.vocabulary.words(), found.arrays["vectors"].copy()
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    for misspelt, topic in (("쵸콜렛", topics[0]), ("갓다", topics[1])):
        composed = composer.compose(misspelt)
        assert composed is not None
        assert words[int(np.argmax(units @ composed.direction))] in topic
