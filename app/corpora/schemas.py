"""What the corpus endpoints take and give."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.errors import InvalidRequest
from app.core.names import Name
from app.core.text import TextSpec
from app.corpora.decode import InvalidUtf8

CorpusName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["bible"])]

Encoding = Annotated[
    str, Query(max_length=100, description="of the text: any that Python has", examples=["cp949", "utf-16"])
]
Invalid = Annotated[InvalidUtf8, Query(description="what to do with bytes that are not UTF-8")]
CorpusRevision = Annotated[int, Path(ge=1, lt=1 << 31, description="the revision's number")]


class CorpusDescription(BaseModel):
    """A revision of a stored corpus. `n_words` counts runs of characters between white space; null for Parquet."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    revision: int
    sha256: str
    n_bytes: int
    n_lines: int | None
    n_words: int | None
    owner: str | None
    created_at: datetime


class RowWithoutText(BaseModel):
    """A row that would be passed over, and why."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    reason: str


class CorpusPreview(BaseModel):
    """How the first lines will be read. Rows are counted in the first megabyte; `names` are fields or columns.

    `learned_from` says what a tokenizer was learned of that a job learns of the whole corpus: the first megabyte
    (`sample`), so that a job's words may differ a little, or the `corpus`, where that is no more.
    """

    corpus: str
    text: TextSpec
    learned_from: Literal["sample", "corpus"] | None
    lines: list[list[str]]
    n_rows: int
    n_bad_rows: int
    first_bad: list[RowWithoutText]
    names: list[str]


class PreviewText(BaseModel):
    """How a preview reads text: as a job's `text`, its format flat."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        Literal["plain", "jsonl", "csv", "tsv", "tokens", "parquet"], Field(description="of the rows")
    ] = "plain"
    field: Annotated[str | None, Field(min_length=1, description="of jsonl")] = None
    column: Annotated[str | None, Field(min_length=1, description="of csv, tsv and parquet")] = None
    header: Annotated[bool | None, Field(description="of csv and tsv")] = None
    delimiter: Annotated[str | None, Field(min_length=1, description="of csv and tsv")] = None
    quote: Annotated[str | None, Field(min_length=1, description="of csv and tsv")] = None
    separator: Annotated[str | None, Field(min_length=1, description="of tokens")] = None
    max_bad_rows: Annotated[float | None, Field(description="of jsonl, csv, tsv and parquet")] = None
    normalization: Literal["nfc", "nfkc_jamo_safe", "none"] | None = None
    case: Literal["lower", "keep"] | None = None
    tokenizer: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="a name, or the object that a job takes, as JSON",
            examples=["mecab-ko", '{"kind": "sentencepiece", "n_pieces": 2000}'],
        ),
    ] = None

    def spec(self) -> TextSpec:
        """Raise `InvalidRequest` for what does not belong together."""
        given = self.model_dump(exclude_none=True, exclude={"format"})
        chosen = {name: given.pop(name) for name in ("normalization", "case", "tokenizer") if name in given}
        if self.tokenizer and self.tokenizer.lstrip().startswith("{"):
            chosen["tokenizer"] = _json_object(self.tokenizer)
        try:
            return TextSpec.model_validate(chosen | {"format": {"kind": self.format, **given}}).here()
        except ValidationError as error:
            found = [
                f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
            ]
            raise InvalidRequest("; ".join(found)) from error


def _json_object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"tokenizer: a name, or an object as JSON, which this is not: {error}.") from error


class CorpusSummary(CorpusDescription):
    """The newest revision, and what all together take."""

    n_bytes_of_all_revisions: int


class CorpusPage(BaseModel):
    """Corpora by name; `next` continues the list as ``after=``."""

    corpora: list[CorpusSummary]
    next: str | None


class CorpusRevisions(BaseModel):
    """All revisions of a corpus, newest first."""

    revisions: list[CorpusDescription]
