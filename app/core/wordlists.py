"""Lists of words in a request: written there, or the name of an uploaded file that has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import regex
from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from app.core.names import FileReference
from app.core.shapes import LIST, TEXT, by_shape

MAX_SHOWN = 80
"""Characters of what is no name of a file."""
WORD = r"[\w'-]+"


def _file(likely: Callable[[list[str]], str]) -> WrapValidator:
    """The name of a file; any other text is told with the list that was `likely` meant by its words."""

    def check(said: str, read: ValidatorFunctionWrapHandler) -> Any:
        try:
            return read(said)
        except ValidationError as error:
            shown = said[:MAX_SHOWN]
            told = f"{shown!r} is neither {likely(regex.findall(WORD, shown))} nor the name of an uploaded file"
            raise ValueError(told) from error

    return WrapValidator(check)


def _words(found: list[str]) -> str:
    return f"a list of words such as {json.dumps(found or ['nurse'], ensure_ascii=False)}"


def _pairs(found: list[str]) -> str:
    pairs = list(zip(found[::2], found[1::2], strict=False)) or [("he", "she")]
    return f"a list of pairs such as {json.dumps(pairs, ensure_ascii=False)}"


Word = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[
    Annotated[tuple[Word, ...], Field(max_length=10_000), LIST] | Annotated[FileReference, _file(_words), TEXT],
    by_shape("This is a list of words or the name of an uploaded file"),
    Field(description="words, or an uploaded file that has them: a JSON list, or one a line"),
]
WordPairs = Annotated[
    Annotated[tuple[tuple[Word, Word], ...], Field(max_length=1000), LIST]
    | Annotated[FileReference, _file(_pairs), TEXT],
    by_shape('This is a list of pairs such as [["he", "she"]] or the name of an uploaded file'),
    Field(description="pairs of words, or an uploaded file that has them: a JSON list, or a pair a line"),
]


def files_among(*lists: Any) -> tuple[str, ...]:
    """Of lists of words and names of files, the names."""
    return tuple(each for each in lists if isinstance(each, str))
