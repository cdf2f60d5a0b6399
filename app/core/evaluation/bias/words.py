"""Sets of words that bias is measured with, and the tests that name them: as shipped, or as somebody uploads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from app.core.errors import EvaluationSetUnreadable

MAX_ITEMS = 1000
"""Of a set."""
MAX_TARGETS = 200
"""Of a set of targets or attributes: what is drawn at random grows with them."""
MAX_TESTS = 50
MAX_FILE_BYTES = 1 << 20
SHIPPED = ("weat", "weat-ko")
"""The files in `data`; a changed one gets another `version`."""

Form = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Part):
    """A word, and what is taken where a version does not have it: the first one that there is."""

    word: Form
    alternatives: Annotated[tuple[Form, ...], Field(max_length=20)] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.word, *self.alternatives)


def _as_item(given: Any) -> Any:
    return {"word": given} if isinstance(given, str) else given


WordItem = Annotated[Item, BeforeValidator(_as_item, json_schema_input_type=str | Item)]
Targets = Annotated[tuple[WordItem, ...], Field(min_length=1, max_length=MAX_TARGETS)]


class WordTest(_Part):
    """Two sets of targets and two of attributes, by their names."""

    about: Annotated[str, Field(max_length=200)] = ""
    targets: tuple[str, str]
    attributes: tuple[str, str]


class WordDirection(_Part):
    """Pairs that define a direction, sets of words that are measured along it, and pairs for the indirect bias."""

    about: Annotated[str, Field(max_length=200)] = ""
    pairs: Annotated[tuple[tuple[WordItem, WordItem], ...], Field(min_length=1, max_length=MAX_TARGETS)]
    words: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    indirect: Annotated[tuple[tuple[WordItem, WordItem], ...], Field(max_length=MAX_TARGETS)] = ()


class WordSets(_Part):
    """A versioned collection of sets and tests."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[int, Field(ge=1)] = 1
    language: Annotated[str | None, Field(max_length=40)] = None
    experimental: bool = False
    source: Annotated[str | None, Field(max_length=1000)] = None
    licence: Annotated[str | None, Field(max_length=200)] = None
    tests: Annotated[dict[str, WordTest], Field(max_length=MAX_TESTS)] = {}
    directions: Annotated[dict[str, WordDirection], Field(max_length=MAX_TESTS)] = {}
    sets: Annotated[
        dict[str, Annotated[tuple[WordItem, ...], Field(min_length=1, max_length=MAX_ITEMS)]], Field(max_length=500)
    ]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for test, said in self.tests.items():
            self._check_sets(f"test {test!r}", (*said.targets, *said.attributes), MAX_TARGETS)
        for direction, words in self.directions.items():
            self._check_sets(f"direction {direction!r}", words.words, MAX_ITEMS)
        if not self.tests and not self.directions:
            raise ValueError("there are neither tests nor directions")
        return self

    def _check_sets(self, user: str, names: Sequence[str], most: int) -> None:
        for name in names:
            if name not in self.sets:
                raise ValueError(f"{user} names the set {name!r}, which is not there")
            if len(self.sets[name]) > most:
                raise ValueError(f"{user} names the set {name!r} of more than {most} words")


def read_word_sets(content: bytes, name: str) -> WordSets:
    """Read a file of word sets.

    Raises
    ------
    EvaluationSetUnreadable
    """
    if len(content) > MAX_FILE_BYTES:
        raise EvaluationSetUnreadable(f"{name} has more than {MAX_FILE_BYTES:,} bytes.", limit=MAX_FILE_BYTES)
    try:
        return WordSets.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{place}: {first['msg']}" if place else first["msg"].removeprefix("Value error, ")
        raise EvaluationSetUnreadable(f"{name} has no word sets: {told}.", file=name) from error


def shipped_content(name: str) -> bytes:
    """A shipped file as it is."""
    return files("app.core.evaluation.bias").joinpath("data", f"{name}.json").read_bytes()


@cache
def shipped(name: str) -> WordSets:
    return read_word_sets(shipped_content(name), name)


@cache
def shipped_tests() -> dict[str, tuple[WordSets, WordTest]]:
    """The tests of all shipped files by name, each in one file only."""
    return {name: (shipped(each), test) for each in SHIPPED for name, test in shipped(each).tests.items()}
