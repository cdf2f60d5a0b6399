"""How the rows of a corpus hold their text."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.core.shapes import NUMBER, TEXT, by_shape


def _separating(character: str) -> str:
    if character != "\t" and (character.isalnum() or character.isspace() or character < " " or character == "\x7f"):
        raise ValueError("must be a tab, a mark or a symbol")
    return character


Character = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_separating)]
Share = Annotated[
    float, Field(ge=0, le=1, description="share of rows without text that is passed over; beyond it the job fails")
]


class _Format(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainText(_Format):
    """One sentence or document a line."""

    kind: Literal["plain"] = "plain"


class JsonLines(_Format):
    """One JSON object a line, the text in one of its members; line ends inside that text end a line too."""

    kind: Literal["jsonl"] = "jsonl"
    field: Annotated[
        str,
        Field(
            min_length=1, max_length=200, description="the member with the text, or a list of tokens; a.b for nested"
        ),
    ]
    max_bad_rows: Share = 0.2


class _Columns(_Format):
    column: Annotated[
        Annotated[str, TEXT] | Annotated[int, NUMBER],
        by_shape("This is the name of a column, or its number from 1"),
        Field(description="its name in the header, or its number from 1"),
    ]
    header: Annotated[bool, Field(description="the first row names the columns")] = True
    max_bad_rows: Share = 0.2


class Csv(_Columns):
    """Rows of columns; a quoted text may hold line ends, which end a line too."""

    kind: Literal["csv"] = "csv"
    delimiter: Character = ","
    quote: Annotated[Character | None, Field(description="null: quotes are part of the text")] = '"'


class Tsv(_Columns):
    """Rows of columns with tabs between them, without quoting unless it is named."""

    kind: Literal["tsv"] = "tsv"
    delimiter: Character = "\t"
    quote: Annotated[Character | None, Field(description="null: quotes are part of the text")] = None


class Tokens(_Format):
    """One basket, walk or playlist a line, its items between separators; an item may hold blanks."""

    kind: Literal["tokens"] = "tokens"
    separator: Character = ","


class Parquet(_Format):
    """Rows of a Parquet file; line ends inside a text end a line too."""

    kind: Literal["parquet"] = "parquet"
    column: Annotated[
        str, Field(min_length=1, max_length=200, description="with texts or lists of tokens; a.b for nested")
    ]
    max_bad_rows: Share = 0.2


Format = PlainText | JsonLines | Csv | Tsv | Tokens | Parquet
RowFormat = JsonLines | Csv | Tsv | Parquet
LineFormat = JsonLines | Csv | Tsv
