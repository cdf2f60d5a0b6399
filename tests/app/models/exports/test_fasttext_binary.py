"""fastText's binary format, read back by fastText and gensim, and by our own import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_model

from app.core.table.arrays import FloatArray
from app.core.table.composing import NgramComposer
from app.core.table.parts import Ngrams, Parts
from app.core.table.reading import Table, open_table
from app.models.exports.fasttext_binary import write_fasttext_binary
from app.models.exports.selection import Chosen, Selection
from tests.published import random_vectors, write_version
from tests.trainer.algorithms.fasttext.test_training import chosen, forms, trained
from tests.trainer.importing.conftest import Read, read
from tests.trainer.importing.test_fasttext import ROWS, written

__all__ = ["read"]


def exported(folder: Path, words: list[str], vectors: FloatArray, parts: Parts | None = None, **said: Any) -> Path:
    """The file, of a version that is published for it in the folder."""
    write_version(folder / "version", words, vectors, parts=parts)
    table: Table = open_table(folder / "version")
    path = folder / "model.bin"
    path.write_bytes(b"".join(write_fasttext_binary(Selection(table, Chosen(**said)))))
    return path


def test_fasttext_and_gensim_compose_the_vectors_of_a_training(tmp_path: Path) -> None:
    """Of its words, and of words to come; buckets that it lacks count there, so that their mean is shorter."""
    corpus = forms(100)
    found = trained(corpus, chosen(epochs=1))
    words, vectors, parts = corpus.vocabulary.words(), found.arrays["vectors"], found.parts
    assert parts is not None
    assert isinstance(parts.composition, Ngrams)
    path = exported(tmp_path, words, vectors, parts)
    model, theirs = fasttext.load_model(str(path)), load_facebook_model(str(path)).wv
    assert model.get_words() == words
    np.testing.assert_allclose([mean(model, word) for word in words], vectors, rtol=1e-5, atol=1e-7)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose([model.get_word_vector(word) for word in words], units, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose([theirs[word] for word in words], vectors, rtol=1e-5, atol=1e-7)
    composer = NgramComposer(parts, parts.composition)
    for word in ("kin", "alke", "바다에"):
        composed = composer.compose(word)
        assert composed is not None
        assert composed.confidence is not None
        np.testing.assert_allclose(model.get_word_vector(word), composed.direction, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(mean(model, word), composed.vector * composed.confidence, rtol=1e-3, atol=1e-6)


def mean(model: Any, word: str) -> Any:
    """What fastText makes a vector of length 1 of, in this library."""
    return np.mean([model.get_input_vector(row) for row in model.get_subwords(word)[1]], axis=0)


def test_a_model_that_was_read_is_written_with_the_same_n_grams_and_vectors(read: Read, tmp_path: Path) -> None:
    found = read(written())
    path = exported(tmp_path, found.words, found.vectors, found.parts)
    model = fasttext.load_model(str(path))
    assert model.get_words() == found.words == ["king", "왕궁", "</s>"]
    n_words = len(found.words)
    np.testing.assert_array_equal(model.get_input_matrix()[n_words:], ROWS[n_words:])
    np.testing.assert_allclose(model.get_input_matrix()[:n_words], ROWS[:n_words], atol=1e-5)
    again = read(path.read_bytes())
    assert again.parts is not None
    assert found.parts is not None
    np.testing.assert_array_equal(again.parts.vectors, found.parts.vectors)
    np.testing.assert_array_equal(again.parts.keys, found.parts.keys)
    np.testing.assert_allclose(again.vectors, found.vectors, atol=1e-6)


def test_without_n_grams_each_row_is_a_vector(read: Read, tmp_path: Path) -> None:
    words, vectors = ["king", "바다", "whole milk"], random_vectors(3, 4)
    path = exported(tmp_path, words, vectors, top=2)
    model = fasttext.load_model(str(path))
    np.testing.assert_allclose(model.get_input_matrix(), vectors[:2], rtol=3e-7)
    assert model.get_subwords("king")[0] == ["king"]
    found = read(path.read_bytes())
    assert (found.words, found.parts) == (["king", "바다"], None)


@pytest.mark.parametrize("dim", [2, 300])
def test_buckets_that_are_not_there_are_zero(tmp_path: Path, dim: int) -> None:
    rows = random_vectors(3, dim)
    parts = Parts(Ngrams(min_n=2, max_n=3, n_buckets=1000), rows, np.array([0, 7, 999], np.int32))
    path = exported(tmp_path, ["king", "queen"], random_vectors(2, dim), parts)
    matrix = fasttext.load_model(str(path)).get_input_matrix()[2:]
    np.testing.assert_array_equal(matrix[[0, 7, 999]], rows)
    assert np.count_nonzero(matrix.any(axis=1)) == 3
