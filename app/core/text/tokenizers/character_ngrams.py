"""Overlapping runs of characters, for scripts without blanks where no dictionary is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import regex
from pydantic import Field

from app.core.text.tokenizers.seam import Resources, TokenizerOptions

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CHARACTER = regex.compile(r"\X")


class CharacterNgrams(TokenizerOptions):
    """All runs of so many characters inside words; a shorter word is one by itself."""

    kind: Literal["character-ngrams"] = "character-ngrams"
    n: Annotated[int, Field(ge=1, le=10)] = 2

    def open(self, _resources: Resources, _threads: int, /) -> NgramTokenizer:
        return NgramTokenizer(self.n)


class NgramTokenizer:
    """Characters are what readers take for one: a letter with its marks."""

    needs_lines = False

    def __init__(self, n: int) -> None:
        self._n = n

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        return [list(self._ngrams(line)) for line in lines]

    def _ngrams(self, line: str) -> Iterator[str]:
        for word in _WORD.findall(line):
            characters = _CHARACTER.findall(word)
            for start in range(max(len(characters) - self._n, 0) + 1):
                yield "".join(characters[start : start + self._n])
