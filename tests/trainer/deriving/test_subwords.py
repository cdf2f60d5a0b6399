"""fit_subwords: rows of n-grams as the closed form has them, and only where words that were left out are met."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import StepImpossible
from app.core.table.composing import NgramComposer
from app.core.table.parts import Ngrams
from app.core.text.ngrams import ngram_hashes
from tests.published import vocabulary_of
from tests.trainer.deriving.conftest import Do
from trainer.deriving.subwords import fitted, incidence_of
from trainer.deriving.working import Working

WORDS = [
    "".join(parts)
    for parts in itertools.product(["ka", "lo", "mi", "ne", "ru"], ["sta", "pen", "dor"], ["", "s", "ing"])
]
SIZES = Ngrams(min_n=2, max_n=3, n_buckets=5000)


def made_of_ngrams(words: list[str]) -> Working:
    """Words whose vectors are means of hidden rows of their n-grams."""
    hidden = np.random.default_rng(3).standard_normal((5000, 6))
    vectors = [hidden[[code % 5000 for code in ngram_hashes(word, 2, 3)]].mean(axis=0) for word in words]
    return Working(words, vocabulary_of(words).counts, np.array(vectors, np.float32))


def test_the_rows_are_those_of_the_closed_form() -> None:
    words = ["ab", "abc", "b", "ca"]
    usable, listed = incidence_of([*words, "x" * 300], SIZES)
    assert usable.tolist() == [0, 1, 2, 3]
    keys, columns = np.unique(listed.columns, return_inverse=True)
    matrix = np.zeros((len(words), len(keys)))
    for word, column in zip(np.repeat(np.arange(4), np.diff(listed.offsets)), columns, strict=True):
        matrix[word, column] += 1 / np.diff(listed.offsets)[word]
    vectors = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    expected = np.linalg.solve(matrix.T @ matrix + 0.1 * np.eye(len(keys)), matrix.T @ vectors)
    found = fitted(listed._replace(columns=columns.astype(np.int32)), vectors, len(keys), 0.1)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_words_to_come_are_composed(do: Do) -> None:
    work = made_of_ngrams([*WORDS, "rustaed"])
    truth = work.vectors[-1]
    work.keep(np.arange(len(WORDS)))
    work, facts = do(work, step="fit_subwords", min_n=2, max_n=3, n_buckets=5000, min_cosine=0.5, ridge=1e-4)
    assert (facts["n_words"], facts["n_held_out"], facts["min_cosine"]) == (45, 4, 0.5)
    assert facts["mean_cosine"] > 0.9
    assert work.parts is not None
    assert work.parts.composition == SIZES
    assert len(work.parts.keys) == facts["n_ngrams"] == len({c % 5000 for w in WORDS for c in ngram_hashes(w, 2, 3)})
    composer = NgramComposer(work.parts, SIZES)
    known, new = composer.compose("kastas"), composer.compose("rustaed")
    assert known is not None
    assert new is not None
    np.testing.assert_allclose(known.vector, work.vectors[WORDS.index("kastas")], atol=0.02)
    assert new.direction @ truth / np.linalg.norm(truth) > 0.6
    n_known = sum(code % 5000 in work.parts.keys for code in ngram_hashes("rustaed", 2, 3))
    assert (known.confidence, new.confidence) == (1.0, round(n_known / 15, 4))
    assert n_known < 15


def test_words_to_come_are_composed_of_jamo(do: Do) -> None:
    """Syllables are in no word twice, so that characters tell nothing of 밧."""
    words = [chr(0xAC00 + 588 * i + 28 * j + k) + "다" for i in range(5) for j in range(4) for k in (0, 4, 19)]
    hidden = np.random.default_rng(3).standard_normal((5000, 6))
    truth = [hidden[[code % 5000 for code in ngram_hashes(word, 3, 5, "jamo")]].mean(axis=0) for word in words]
    work = Working(words, vocabulary_of(words).counts, np.array(truth, np.float32))
    last = work.vectors[-1]
    work.keep(np.arange(len(words) - 1))
    said: dict[str, Any] = {"step": "fit_subwords", "n_buckets": 5000, "min_cosine": 0.4, "ridge": 1e-4}
    work, _ = do(work, **said, unit="jamo")
    assert work.parts is not None
    assert work.parts.composition == Ngrams(min_n=3, max_n=5, n_buckets=5000, unit="jamo")
    composed = NgramComposer(work.parts, work.parts.composition).compose(words[-1])
    assert composed is not None
    assert composed.direction @ last / np.linalg.norm(last) > 0.6


def test_too_few_words_are_refused(do: Do) -> None:
    with pytest.raises(StepImpossible, match="9 words have n-grams of 2 to 3 letters; too few"):
        do(made_of_ngrams(WORDS[:9]), step="fit_subwords", min_n=2, max_n=3)


def test_what_n_grams_do_not_tell_is_refused_with_the_bar_and_the_value(do: Do) -> None:
    work = made_of_ngrams(WORDS)
    work.vectors = np.random.default_rng(1).standard_normal(work.vectors.shape).astype(np.float32)
    with pytest.raises(
        StepImpossible, match=r"mean cosine of -?0\.\d+ .* 0\.3 is asked for \(`min_cosine`\)"
    ) as refused:
        do(work, step="fit_subwords", min_n=2, max_n=3)
    assert refused.value.members["mean_cosine"] < refused.value.members["min_cosine"] == 0.3


def test_what_the_mean_of_all_words_meets_better_is_refused(do: Do) -> None:
    work = made_of_ngrams(WORDS)
    work.vectors = np.random.default_rng(1).standard_normal(work.vectors.shape).astype(np.float32) + np.float32(3)
    with pytest.raises(StepImpossible, match=r"the mean of all words alone has 0\.9"):
        do(work, step="fit_subwords", min_n=2, max_n=3, min_cosine=-1, ridge=50)


def test_the_same_words_give_the_same_rows_and_they_move_with_linear_steps(do: Do) -> None:
    said: dict[str, Any] = {"step": "fit_subwords", "min_n": 2, "max_n": 3, "n_buckets": 5000}
    (first, _), (second, _) = (do(made_of_ngrams(WORDS), **said) for _ in range(2))
    assert first.parts is not None
    assert second.parts is not None
    assert first.parts.vectors.tobytes() == second.parts.vectors.tobytes()
    mean = (first.vectors * (first.counts / first.counts.sum())[:, None]).sum(axis=0)
    second, _ = do(second, step="center")
    assert second.parts is not None
    np.testing.assert_allclose(second.parts.vectors, first.parts.vectors - mean, atol=1e-5)
    second, _ = do(second, step="reduce", dim=2)
    assert second.parts is not None
    assert second.parts.vectors.shape[1] == 2
    steps: list[dict[str, Any]] = [{"step": "whiten"}, {"step": "remove_components", "n": 1}, {"step": "quantise"}]
    for step in steps:
        second, _ = do(second, **step)
        assert second.parts is not None
    with pytest.raises(StepImpossible, match="have ngrams already"):
        do(second, **said)


def test_steps_that_are_not_linear_lose_them_and_say_so(do: Do, tmp_path: Path) -> None:
    work, _ = do(made_of_ngrams(WORDS), step="fit_subwords", min_n=2, max_n=3)
    lexicon = tmp_path / "lexicon"
    lexicon.write_text("kasta lopen\n")
    work, facts = do(work, files={"l@1": lexicon}, step="retrofit", lexicon="l@1")
    assert (work.parts, facts["composition"]) == (None, "lost")
