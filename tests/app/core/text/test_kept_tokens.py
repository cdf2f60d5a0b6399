"""Tokens that stay whole, such as c++, whatever stands beside them and in whatever case they are written."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.text import TextReader, TextSpec
from app.core.text.spec import NEWEST_RULES
from tests.app.core.text.test_text import CASES, NORMALIZATIONS

KEEPING = TextReader(TextSpec(keep_tokens=("C++", "c#", ".NET", "node.js", "at&t", "^^", "c"), rules=NEWEST_RULES))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C++ developer (c++), C#; .net/Node.js", ["c++", "developer", "c++", "c#", ".net", "node.js"]),
        ("c++11 asp.net c AT&T's ㅋㅋ ^^", ["c", "11", "asp", "net", "c", "at&t", "s", "ㅋㅋ", "^^"]),
        ("c+++ 'c#' c\nc++", ["c++", "c#", "c", "c++"]),
        ("Ｃ++", ["ｃ"]),
    ],
)
def test_listed_tokens_stay_whole(text: str, words: list[str]) -> None:
    assert KEEPING.words(text) == words
    assert [again for word in words for again in KEEPING.words(word)] == words


def test_kept_tokens_follow_normalisation_and_case() -> None:
    folding = TextReader(TextSpec(keep_tokens=("C++",), normalization="nfkc_jamo_safe"))
    assert folding.words("Ｃ＋＋ a") == ["c++", "a"]
    exact = TextReader(TextSpec(keep_tokens=("C++",), case="keep"))
    assert exact.words("C++ c++") == ["C++", "c"]


@pytest.mark.parametrize(
    ("token", "text", "words"),
    [
        ("İ", "C\u2019İ", ["c", "i\u0307"]),
        ("i\u0307++", "İ++ i\u0307++", ["i\u0307++", "i\u0307++"]),
        ("J\u030c#", "J\u030c# \u01f0#", ["\u01f0#", "\u01f0#"]),  # whose capital is two characters
        ("σ#", "ΟΔΟΣ Σ#", ["οδος", "σ#"]),
    ],
)
def test_listed_tokens_are_found_in_capitals_that_are_spelled_otherwise(
    token: str, text: str, words: list[str]
) -> None:
    assert TextReader(TextSpec(keep_tokens=(token,), rules=NEWEST_RULES)).words(text) == words
    assert TextReader(TextSpec(keep_tokens=("İ",), rules=2)).words("C\u2019İ") == ["c'i\u0307"], "as before"


UNEVEN = "cC+#.&'é\u0301ſK１＋İJ\u030cΣ"


@settings(max_examples=300)
@example("C\u2019İ", ["İ"], "nfc", "lower")
@example("+'J\u030c", ["J\u030c"], "nfkc_jamo_safe", "lower")
@given(
    st.text(st.sampled_from(list(UNEVEN + "\u2019 a한\n")), max_size=30),
    st.lists(st.text(st.sampled_from(list(UNEVEN)), min_size=1, max_size=4), max_size=3),
    st.sampled_from(NORMALIZATIONS), st.sampled_from(CASES),
)  # fmt: skip
def test_words_with_kept_tokens_read_again_are_the_same(
    text: str, kept: list[str], normalization: str, case: str
) -> None:
    chosen = {"keep_tokens": kept, "normalization": normalization, "case": case, "rules": NEWEST_RULES}
    reader = TextReader(TextSpec.model_validate(chosen))
    words = reader.words(text)
    assert [again for word in words for again in reader.words(word)] == words


@pytest.mark.parametrize("wrong", [{"keep_tokens": ["a b"]}, {"keep_tokens": [""]}, {"keep_tokens": ["x" * 101]},
                                   {"keep_tokens": ["c++"], "tokenizer": "whitespace"}])  # fmt: skip
def test_what_cannot_be_kept_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TextSpec.model_validate(wrong)


def test_a_kept_token_is_whole() -> None:
    assert KEEPING.words("(C++)") == ["c++"]
    assert KEEPING.is_whole("c++")
    assert KEEPING.is_whole("(C++)")
    assert not KEEPING.is_whole("f#")
