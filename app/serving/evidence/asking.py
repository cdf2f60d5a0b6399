"""What may be asked about the evidence of a version."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.core.numbers import NotBoolean
from app.serving.asking import Query, Target, Word

MAX_LINES = 3
K = Annotated[int, Field(ge=1, le=50, description="how many contexts; so many are stored of a word"), NotBoolean]
Lines = Annotated[
    int, Field(ge=0, le=MAX_LINES, description="lines of the corpus that show each pair, at most"), NotBoolean
]


class ContextsQuery(Query):
    word: Annotated[Word, Field(examples=["king"])]
    k: K = 10
    lines: Lines = 1


class ExplainQuery(Query):
    a: Annotated[Word, Field(examples=["king"])]
    b: Annotated[Word, Field(examples=["queen"])]
    k: K = 10
    lines: Lines = 1


class CooccurrenceQuery(Query):
    a: Annotated[Word, Field(examples=["king"])]
    b: Annotated[Word, Field(examples=["queen"])]
    lines: Lines = MAX_LINES


class ContextsParameters(ContextsQuery, Target):
    pass


class ExplainParameters(ExplainQuery, Target):
    pass


class CooccurrenceParameters(CooccurrenceQuery, Target):
    pass
