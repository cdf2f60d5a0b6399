"""The rows of the baseline, by hand and beside a slow reference."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from tests.oracles import tfidf as oracle
from trainer.classifying import ngrams, tfidf
from trainer.classifying.designs import Sparse
from trainer.classifying.tfidf import TfIdf, affordable


def as_dictionaries(rows: Sparse) -> list[dict[int, float]]:
    entries = list(zip(rows.columns.tolist(), rows.values.tolist(), strict=True))
    offsets = rows.offsets.tolist()
    return [dict(entries[start:end]) for start, end in pairwise(offsets)]


def test_ngrams_stay_inside_words() -> None:
    expected = {"a": 1, "b": 2, " a": 1, "ab": 1, "b ": 2, " ab": 1, "ab ": 1, " ab ": 1, " b": 1, " b ": 1}
    assert oracle.ngrams("Ab  b") == expected
    (row,) = as_dictionaries(TfIdf(["Ab  b"]).rows(["Ab  b"]))
    weights = sorted(1 + math.log(n) for n in expected.values())
    assert sorted(row.values()) == pytest.approx([w / math.sqrt(sum(w * w for w in weights)) for w in weights])


def test_weights_are_those_of_the_formula() -> None:
    rows = TfIdf(["aa", "b"]).rows(["a", "zz", "bb"])
    assert rows.offsets.tolist() == [0, 3, 3, 6]
    assert rows.n_features == len({*oracle.ngrams("aa"), *oracle.ngrams("b")})
    assert rows.values[:3] == pytest.approx([1 / math.sqrt(3)] * 3), "three n-grams that one of two texts has"
    weights = [1 + math.log(2), 1, 1]
    length = math.sqrt(sum(w * w for w in weights))
    assert sorted(rows.values[3:].tolist(), reverse=True) == pytest.approx([w / length for w in weights])


@pytest.mark.parametrize("limit", [40, 10_000])
def test_rows_are_those_of_counting_one_by_one(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Of letters of several scripts, characters beyond 16 bits and halves of them; texts are read in several parts."""
    monkeypatch.setattr(tfidf, "MAX_FEATURES", limit)
    monkeypatch.setattr(ngrams, "CHARACTERS_AT_A_TIME", 100)
    draw = random.Random(0)
    words = ["".join(draw.choices("abAßİ가나다𝔘\ud800.", k=draw.randint(1, 6))) for _ in range(40)]
    texts = ["", "  ", *(" \t".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(60))]
    asked = [*texts[:20], "unseen zebra 가x𝔙", "abab"]
    found = as_dictionaries(TfIdf(texts).rows(asked))
    for row, expected in zip(found, oracle.rows(texts, asked, limit), strict=True):
        assert row == pytest.approx(expected, abs=1e-6)


def test_texts_without_any_word() -> None:
    nothing = TfIdf(["", " "])
    assert (nothing.rows([]).shape, nothing.rows(["a", ""]).offsets.tolist()) == ((0, 1), [0, 0, 0])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "MAX_FEATURES", 2)
    monkeypatch.setattr(tfidf, "MAX_COUNTED", 5)
    monkeypatch.setattr(tfidf, "MAX_CHARACTERS", 5)
    assert TfIdf(["ab", "ab", "cd", "b"]).rows(["b"]).n_features == 2, "the n-grams of most texts"
    assert affordable(["abc", "de", "f"]) == 2
