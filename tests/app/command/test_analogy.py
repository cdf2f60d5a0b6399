"""How an analogy is read where words hold signs, and what is none."""

from __future__ import annotations

import pytest

from app.command.analogy import words_of
from app.command.failures import WrongUsage


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("e-mail - mail + phone", ("e-mail", "mail", "phone")),
        ("e-mail mail phone", ("e-mail", "mail", "phone")),
        ("c++ - c + java", ("c++", "c", "java")),
        ("c++ c java", ("c++", "c", "java")),
        ("king- man + woman", ("king", "man", "woman")),
        ("king \N{MINUS SIGN} man + woman", ("king", "man", "woman")),
        ("- man + king + woman", ("king", "man", "woman")),
        ("왕-남자+여자", ("왕", "남자", "여자")),
    ],
)
def test_signs_with_blanks_around_them_win(written: str, words: tuple[str, str, str]) -> None:
    assert words_of(written.split()) == words
    assert words_of([written]) == words


@pytest.mark.parametrize("written", ["", "-", "king", "king - man", "a b c d", "king man + woman", "a - b - c"])
def test_what_is_no_analogy_is_told_its_form(written: str) -> None:
    with pytest.raises(WrongUsage, match=r"write three words as in: king - man \+ woman"):
        words_of([written])
