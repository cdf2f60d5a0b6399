"""Sets of questions about words: what kinds there are, and how their files are read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import EvaluationSetUnreadable
from app.core.names import FileReference
from app.core.numbers import NotBoolean
from app.core.oov import Oov

SetType = Literal["similarity", "analogy", "outlier", "categories", "neighbors", "words"]
MAX_QUESTIONS = 200_000
DEFAULT_MAX_WORDS = 30_000

SHAPES: dict[SetType, str] = {
    "similarity": "two words and a number a line",
    "analogy": "four words a line, below headings such as ': capital-world'",
    "outlier": "groups of words a line each, an empty line, and the outliers; below headings if there are several",
    "categories": "a word and its category a line",
    "neighbors": "a word and words that should be near to it a line",
    "words": "a word a line",
}


class EvaluationSet(BaseModel):
    """A file of questions and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: FileReference
    type: Annotated[
        Literal["auto", SetType],
        Field(
            description="; ".join(f"`{name}`: {shape}" for name, shape in SHAPES.items())
            + ". `auto` looks at the first lines, and never says `neighbors`"
        ),
    ] = "auto"
    max_words: Annotated[
        int,
        Field(ge=1, description="of `analogy`: questions and answers are of the most frequent so many words"),
        NotBoolean,
    ] = DEFAULT_MAX_WORDS
    k: Annotated[int, Field(ge=1, le=50, description="of `neighbors`: how many nearest are looked at"), NotBoolean] = 10
    oov: Annotated[
        Oov,
        Field(
            description="`reject` leaves out questions with a word that the vocabulary lacks, as other programs do; "
            "`compose` asks them where the version composes it, which makes other scores"
        ),
    ] = "reject"


@dataclass(frozen=True)
class Questions:
    """A set as it was read; `items` are words, of `categories` the second is the category's name.

    `gold` is what people said, one number an item of `similarity`. `sections` are names and the index of the first
    item of each, in their order.
    """

    type: SetType
    items: list[tuple[str, ...]]
    gold: list[float] = field(default_factory=list)
    sections: list[tuple[str, int]] = field(default_factory=list)


def read_questions(content: bytes, kind: Literal["auto", SetType], name: str, *, is_whole: bool = True) -> Questions:
    """Read a set; of one that is cut the last line is left out.

    Raises
    ------
    EvaluationSetUnreadable
        It names the line.
    """
    lines = _lines(content, name, is_whole=is_whole)
    chosen: SetType = _recognise(lines, name) if kind == "auto" else kind
    questions = Questions(chosen, [])
    for number, told in _READERS[chosen](lines, questions):
        raise EvaluationSetUnreadable(
            f"{name}, line {number}: {told}; a set of type {chosen!r} has {SHAPES[chosen]}.", file=name, line=number
        )
    if not questions.items and is_whole:
        raise EvaluationSetUnreadable(f"{name} has no questions; a set of type {chosen!r} has {SHAPES[chosen]}.")
    if len(questions.items) > MAX_QUESTIONS:
        raise EvaluationSetUnreadable(f"{name} has more than {MAX_QUESTIONS:,} questions.", limit=MAX_QUESTIONS)
    return questions


def _lines(content: bytes, name: str, *, is_whole: bool) -> list[str]:
    whole = content if is_whole else content[: content.rfind(b"\n") + 1]
    try:
        return [line.rstrip("\r") for line in whole.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        number = whole[: error.start].count(b"\n") + 1
        raise EvaluationSetUnreadable(f"{name}, line {number}: this is not UTF-8.", file=name, line=number) from error


def _fields(line: str) -> list[str]:
    """By tabs, or else by commas as CSV has them, or else by white space."""
    if "\t" in line:
        parts = line.split("\t")
    elif "," in line:
        parts = next(csv.reader([line]))
    else:
        parts = line.split()
    return [part.strip() for part in parts]


def _is_heading(line: str) -> bool:
    return line.lstrip().startswith(":")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _recognise(lines: list[str], name: str) -> SetType:
    """What the first lines look like."""
    first = [line for line in lines[:50] if line.strip() and not _is_heading(line) and not line.startswith("#")]
    sizes = {len(_fields(line)) for line in first}
    if sizes == {4}:
        return "analogy"
    if sizes and min(sizes) >= 3 and all(_is_number(_fields(line)[2]) for line in first[1:]) and len(first) > 1:
        return "similarity"
    if sizes == {2}:
        return "categories"
    if sizes == {1}:
        return "outlier" if "\n\n" in "\n".join(line.strip() for line in lines).strip() else "words"
    told = "; ".join(f"{kind}: {shape}" for kind, shape in SHAPES.items())
    raise EvaluationSetUnreadable(f"{name} looks like no set of questions; say its `type`. There are: {told}.")


Problems = Iterator[tuple[int, str]]


def _numbered(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines with something in them, as fields, and their numbers from 1."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, _fields(line)


def _similarity(lines: list[str], into: Questions) -> Problems:
    for number, fields in _numbered(lines):
        if len(fields) < 3 or not _is_number(fields[2]):
            if number > 1:  # the first may name the columns
                yield number, f"{' '.join(fields)[:80]!r} is not two words and a number"
            continue
        into.items.append((fields[0], fields[1]))
        into.gold.append(float(fields[2]))


def _analogy(lines: list[str], into: Questions) -> Problems:
    for number, line in enumerate(lines, 1):
        if _is_heading(line):
            into.sections.append((line.strip().lstrip(":").strip(), len(into.items)))
        elif line.strip() and not line.startswith("#"):
            fields = _fields(line)
            if len(fields) != 4:
                yield number, f"there are {len(fields)} words, not 4"
            into.items.append(tuple(fields))


def _outlier(lines: list[str], into: Questions) -> Problems:
    """An item is the words of a group with one outlier, which is the last."""
    headings = [i for i, line in enumerate(lines) if _is_heading(line)]
    if any(line.strip() for line in lines[: headings[0] if headings else 0]):
        yield 1, "there is something before the first heading"
    for start, end in pairwise([*(headings or [-1]), len(lines)]):
        name = lines[start].strip().lstrip(":").strip() if headings else "all"
        together, _, apart = "\n".join(line.strip() for line in lines[start + 1 : end]).strip().partition("\n\n")
        words, outliers = together.split("\n"), apart.split()
        if len(words) < 2 or not outliers:
            yield start + 2, f"the group {name!r} needs two words, an empty line, and an outlier"
        into.sections.append((name, len(into.items)))
        into.items.extend((*words, outlier) for outlier in outliers)


def _categories(lines: list[str], into: Questions) -> Problems:
    for number, fields in _numbered(lines):
        if len(fields) != 2:
            yield number, f"there are {len(fields)} fields, not a word and a category"
        into.items.append(tuple(fields))


def _neighbors(lines: list[str], into: Questions) -> Problems:
    for number, fields in _numbered(lines):
        if len(fields) < 2:
            yield number, "there is a word without another one"
        into.items.extend((fields[0], other) for other in fields[1:])


def _words(lines: list[str], into: Questions) -> Problems:
    into.items.extend((line.strip(),) for line in lines if line.strip() and not line.startswith("#"))
    yield from ()


_READERS: dict[SetType, Callable[[list[str], Questions], Problems]] = {
    "similarity": _similarity,
    "analogy": _analogy,
    "outlier": _outlier,
    "categories": _categories,
    "neighbors": _neighbors,
    "words": _words,
}
assert set(_READERS) == set(get_args(SetType))  # noqa: S101 (at import)
