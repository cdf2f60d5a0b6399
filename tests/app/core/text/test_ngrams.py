"""Hashes of n-grams, beside gensim's and beside values that FNV-1a is published with."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from gensim.models.fasttext import ft_ngram_hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.text.ngrams import FILLER, Unit, ngram_hashes, spelled


@pytest.mark.parametrize("word", ["king", "a", "왕궁", "naïve", "👑s", "x" * 30, "</s>", "<"])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (3, 6), (2, 64), (5, 5)])
def test_hashes_are_those_of_fasttext(word: str, sizes: tuple[int, int]) -> None:
    n_buckets = 1 << 31
    found = [code % n_buckets for code in ngram_hashes(word, *sizes)]
    assert sorted(found) == sorted(ft_ngram_hashes(word, *sizes, n_buckets))


@pytest.mark.parametrize(
    ("word", "buckets"),
    [
        ("king", [299675, 1736367, 1950837, 736598, 771707, 590751, 217300]),
        ("왕궁", [377010, 1009124, 1478958]),
        ("naïve", [1806890, 1907692, 1590546, 1719404, 356832, 1223007, 1711570, 1788548, 1088654]),
        ("👑s", [767289, 332037, 251043]),
    ],
)
def test_buckets_are_those_that_fasttexts_own_program_gives(word: str, buckets: list[int]) -> None:
    """Of n-grams of 3 and 4 characters and its 2,000,000 buckets; bytes above 127 count as negative numbers there."""
    assert [code % 2_000_000 for code in ngram_hashes(word, 3, 4)] == buckets


def test_a_published_value_of_the_hash() -> None:
    """FNV-1a of 32 bits of "foobar" is 0xbf9cf968; it is the one n-gram of six letters without a mark."""
    assert ngram_hashes("foobar", 6, 6)[1] == 0xBF9CF968


def test_every_syllable_is_its_initial_vowel_and_final() -> None:
    """All 11,172, by the names that Unicode has for single letters and for those that syllables decompose into."""
    seen = set()
    for point in range(0xAC00, 0xD7A4):
        jamo, parts = spelled(chr(point), "jamo")[1:-1], unicodedata.normalize("NFD", chr(point))
        names = [unicodedata.name(part).replace("CHO", "").replace("JUNG", "").replace("JONG", "") for part in parts]
        letters = [letter for letter in jamo if letter != FILLER]
        assert [unicodedata.name(letter).replace("LETTER", "SEONG") for letter in letters] == names
        assert (len(jamo), jamo[2] == FILLER) == (3, len(parts) == 2)
        seen.add(jamo)
    assert len(seen) == 11_172


def fnv(text: str) -> int:
    code = 2166136261
    for byte in text.encode():
        code = (code ^ (byte if byte < 128 else byte + 0xFFFFFF00)) * 16777619 % 2**32
    return code


@pytest.mark.parametrize(
    ("word", "letters", "syllables"),
    [
        ("강아지", "ㄱㅏㅇㅇㅏ-ㅈㅣ-", ["ㄱㅏㅇㅇㅏ-", "ㅇㅏ-ㅈㅣ-", "ㄱㅏㅇㅇㅏ-ㅈㅣ-"]),
        ("AI반도체", "AIㅂㅏㄴㄷㅗ-ㅊㅔ-", ["ㅂㅏㄴㄷㅗ-", "ㄷㅗ-ㅊㅔ-", "ㅂㅏㄴㄷㅗ-ㅊㅔ-"]),
        ("에e", "ㅇㅔ-e", []),
        ("ㅋㅋ한a글", "ㅋㅋㅎㅏㄴaㄱㅡㄹ", []),
        ("king", "king", []),
    ],
)
def test_jamo_and_whole_syllables_are_n_grams(word: str, letters: str, syllables: list[str]) -> None:
    """Jamo across the borders of syllables, two and three syllables, and no letter e in the place of the filler."""
    marked = f"<{letters}>"
    expected = [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)] + syllables
    found = ngram_hashes(word, 3, 5, "jamo")
    assert sorted(found) == sorted(fnv(ngram.replace("-", FILLER)) for ngram in expected)


def test_at_most_four_syllables_are_an_n_gram_and_one_of_few_jamo_is() -> None:
    lengths = [3 * n for n in (2, 3, 4)]
    letters = spelled("가나다라마", "jamo")[1:-1]
    expected = [letters[i : i + n] for n in lengths for i in range(0, 15 - n + 1, 3)]
    assert set(map(fnv, expected)) <= set(ngram_hashes("가나다라마", 3, 5, "jamo"))
    assert fnv(letters) not in ngram_hashes("가나다라마", 3, 5, "jamo")
    assert fnv(letters[:3]) in ngram_hashes("가나다라마", 4, 5, "jamo")


@settings(max_examples=50)
@given(word=st.text(), unit=st.sampled_from(["character", "jamo"]))
def test_any_word_has_n_grams_of_its_letters(word: str, unit: Unit) -> None:
    """All substrings of three to five letters, and of jamo no fewer: whole syllables are added."""
    letters = spelled(word, unit)
    expected = [fnv(letters[i : i + n]) for n in (3, 4, 5) for i in range(len(letters) - n + 1)]
    found = Counter(ngram_hashes(word, 3, 5, unit))
    assert not Counter(expected) - found
    assert unit == "jamo" or found == Counter(expected)
