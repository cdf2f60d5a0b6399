from __future__ import annotations

from pathlib import Path

import pytest

from app.core.table.reading import open_table
from app.serving.suggestions import Suggestions, keys_of
from tests.published import random_vectors, write_version

WORDS = ["the", "king", "kind", "queen", "한국", "한글", "학교", "naïve", "receive", "ab", "각오", "괜찮아", "닭"]


@pytest.fixture(scope="module")
def suggestions(tmp_path_factory: pytest.TempPathFactory) -> Suggestions:
    folder: Path = tmp_path_factory.mktemp("table")
    write_version(folder, WORDS, random_vectors(len(WORDS), 4))
    return Suggestions(open_table(folder))


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("kinf", ["king", "kind"]),
        ("quene", ["queen"]),
        ("recieve", ["receive"]),
        ("naive", ["naïve"]),
        ("한굴", ["한국", "한글"]),
        ("가고", ["각오"]),
        ("갠찮아", ["괜찮아"]),
        ("괜찬아", ["괜찮아"]),
        ("달", ["닭"]),
        ("zzzzzz", []),
        ("x", []),
        ("y" * 100, []),
        ("ﬁ" * 65, []),
    ],
)
def test_near_spellings(suggestions: Suggestions, word: str, near: list[str]) -> None:
    """Nearest first; equally near ones by frequency; a jamo or an accent is one edit."""
    assert suggestions.near(word)[: len(near) or None] == near


FINALS = "ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ"


def test_every_syllable_is_typed_by_the_keys_of_its_jamo() -> None:
    """As Unicode decomposes it to compatibility jamo by arithmetic."""
    initials, vowels = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
    two = {"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"}
    finals = ["", *FINALS.split()]
    for code in range(11_172):
        vowel = vowels[code // 28 % 21]
        keys = initials[code // 588] + two.get(vowel, vowel) + finals[code % 28]
        assert keys_of(chr(0xAC00 + code)) == keys
    assert keys_of("ㅋㅘ") == "ㅋㅗㅏ"


def test_asking_again_gives_the_same(suggestions: Suggestions) -> None:
    assert suggestions.near("kinf") == suggestions.near("kinf")
