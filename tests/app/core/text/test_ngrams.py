"""Hashes of n-grams, beside gensim's and beside values that FNV-1a is published with."""

from __future__ import annotations

import pytest
from gensim.models.fasttext import ft_ngram_hashes

from app.core.text.ngrams import ngram_hashes


@pytest.mark.parametrize("word", ["king", "a", "왕궁", "naïve", "👑s", "x" * 30, "</s>", "<"])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (3, 6), (2, 64), (5, 5)])
def test_hashes_are_those_of_fasttext(word: str, sizes: tuple[int, int]) -> None:
    n_buckets = 1 << 31
    found = [code % n_buckets for code in ngram_hashes(word, *sizes)]
    assert sorted(found) == sorted(ft_ngram_hashes(word, *sizes, n_buckets))


def test_a_published_value_of_the_hash() -> None:
    """FNV-1a of 32 bits of "foobar" is 0xbf9cf968; it is the one n-gram of six letters without a mark."""
    assert ngram_hashes("foobar", 6, 6)[1] == 0xBF9CF968
