"""Plain text is read by its bytes, as the reader would read it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from app.core.text import TextReader, TextSpec
from tests.app.core.text.test_text import SPECS


def test_plain_text_is_read_byte_by_byte() -> None:
    """All syllables and letters of Hangul beside all of ASCII: what is done to bytes is what is done to text."""
    hangul = [chr(point) for point in (*range(0x3131, 0x3164), *range(0x3165, 0x318F), *range(0xAC00, 0xD7A4))]
    ascii_ = [chr(point) for point in range(128) if chr(point) not in "'\n"]
    lines = [letter + following for letter, following in pairwise(hangul)]
    lines += [f"{before}{letter}{after}" for letter in ("가", "ㅋ", "a") for before in ascii_ for after in ascii_]
    n_read = 0
    for spec in SPECS:
        reader = TextReader(spec)
        if (becomes := reader.bytes_of_plain) is not None:
            n_read += 1
            text = "\n".join(lines)
            found = text.encode().translate(becomes).decode()
            assert [line.split() for line in found.split("\n")] == [
                line.split() for line in reader.rewrite(text).split("\n")
            ]
    assert n_read > 3


@pytest.mark.parametrize(
    "said",
    [
        {"stop_words": ["the"]},
        {"max_word_length": 3},
        {"keep_tokens": ["c++"]},
        {"tokenizer": "items", "format": {"kind": "tokens", "separator": ","}},
        {"tokenizer": {"kind": "character-ngrams"}},
    ],
)
def test_what_reads_more_than_bytes_is_not_read_by_them(said: dict[str, Any]) -> None:
    assert TextReader(TextSpec.model_validate(said)).bytes_of_plain is None
