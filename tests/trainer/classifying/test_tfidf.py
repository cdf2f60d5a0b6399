"""The rows of the baseline, by hand."""

from __future__ import annotations

import math

import pytest

from trainer.classifying import tfidf
from trainer.classifying.tfidf import TfIdf, affordable, ngrams


def test_ngrams_stay_inside_words() -> None:
    assert ngrams("Ab  b") == {
        "a": 1, "b": 2, " a": 1, "ab": 1, "b ": 2, " ab": 1, "ab ": 1, " ab ": 1, " b": 1, " b ": 1,
    }  # fmt: skip


def test_weights_are_those_of_the_formula() -> None:
    rows = TfIdf(["aa", "b"]).rows(["a", "zz", "bb"])
    assert rows.offsets.tolist() == [0, 3, 3, 6]
    assert rows.n_features == len({*ngrams("aa"), *ngrams("b")})
    assert rows.values[:3] == pytest.approx([1 / math.sqrt(3)] * 3), "three n-grams that one of two texts has"
    weights = [1 + math.log(2), 1, 1]
    length = math.sqrt(sum(w * w for w in weights))
    assert sorted(rows.values[3:].tolist(), reverse=True) == pytest.approx([w / length for w in weights])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "MAX_FEATURES", 2)
    monkeypatch.setattr(tfidf, "MAX_COUNTED", 5)
    monkeypatch.setattr(tfidf, "MAX_CHARACTERS", 5)
    assert TfIdf(["ab", "ab", "cd", "b"]).rows(["b"]).n_features == 2, "the n-grams of most texts"
    assert affordable(["abc", "de", "f"]) == 2
