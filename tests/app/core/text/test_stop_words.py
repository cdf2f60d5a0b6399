"""Words that are left out by what they are: of a corpus, and of the texts that its version reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors import TokenizerUnusable
from app.core.text import TextReader, TextSpec
from app.core.text.spec import STOP_WORDS
from trainer.corpus.encode import encode


def spec_of(**said: Any) -> TextSpec:
    return TextSpec.model_validate(said)


@pytest.mark.parametrize(
    ("said", "text", "words"),
    [
        ({"stop_words": ["The", "a"]}, "The king, a\nTHE queen's the", ["king", "queen's"]),
        ({"stop_words": ["the"], "case": "keep"}, "The king the", ["The", "king"]),
        ({"stop_words": ["é"]}, "e\u0301 king", ["king"]),
        ({"max_word_length": 4}, "king queens 바다바다 바다바다바", ["king", "바다바다"]),
        ({"stop_words": ["the", "who"], "format": {"kind": "tokens"}}, "The,The Who, the ", ["the who"]),
        ({"stop_words": ["북"], "tokenizer": {"kind": "character-ngrams", "n": 1}}, "북남", ["남"]),
    ],
)
def test_they_are_left_out(said: dict[str, Any], text: str, words: list[str], tmp_path: Path) -> None:
    spec = spec_of(**said)
    assert TextReader(spec).words(text) == words
    source = tmp_path / "corpus"
    source.write_text(f"{text}\nother more\n")
    corpus = encode(source, tmp_path, spec=spec, min_count=1)
    assert set(corpus.vocabulary.words()) == {*words, *TextReader(spec).words("other more")}


def test_a_file_has_one_a_line() -> None:
    spec = spec_of(stop_words="english@2")
    assert spec.files() == {STOP_WORDS: "english@2"}
    reader = TextReader(spec, {STOP_WORDS: b"\xef\xbb\xbfthe\r\nA\n"})
    assert reader.words("The king a") == ["king"]
    assert reader.is_whole("king,")
    assert reader.words_left_out("the")
    assert not reader.words_left_out("...")
    with pytest.raises(TokenizerUnusable, match="is not UTF-8"):
        TextReader(spec, {STOP_WORDS: b"\xff"})


def test_a_specification_without_them_stays_as_it_was() -> None:
    assert not {"stop_words", "max_word_length"} & TextSpec().model_dump(mode="json").keys()
