"""Labelled texts: rows of JSON Lines, CSV or TSV with a text, a label and perhaps a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import BadRecord
from app.core.text.formats import Csv, JsonLines, LineFormat, Tsv
from app.core.text.rows import LineRows, ReadLine, member

FileFormat = Literal["auto", "jsonl", "csv", "tsv"]
FieldName = Annotated[str, Field(min_length=1, max_length=200)]
MAX_LABEL_LENGTH = 200


class LabelledFields(BaseModel):
    """Where the rows of a file have their text and label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Annotated[FileFormat, Field(description="`auto`: by the first line")] = "auto"
    text_field: Annotated[
        FieldName, Field(description="member, a.b for nested, or column by its name in the header")
    ] = "text"
    label_field: Annotated[FieldName, Field(description="the same of a text, a number, true or false")] = "label"
    group_field: Annotated[
        FieldName | None, Field(description="what errors are told apart by, such as a source or a dialect")
    ] = None


class Labelled(NamedTuple):
    text: str
    label: str
    group: str | None


class LabelledRows(LineRows):
    """Rows with a text and a label; others are counted by what they lack.

    Parameters
    ----------
    fields : where text, label and group are
    readline : hands out the lines, the first with the beginning of the file
    """

    def __init__(self, fields: LabelledFields, readline: ReadLine) -> None:
        first = readline(1 << 28).removeprefix(b"\xef\xbb\xbf")
        waiting = [first]
        super().__init__(_format_of(fields, first), lambda n: waiting.pop() if waiting else readline(n))
        self._fields = fields
        self.lacking: Counter[str] = Counter()

    def labelled(self) -> Iterator[Labelled]:
        """Raise `BadRecord` for a row that is not UTF-8 or too long, or a column that is not there."""
        try:
            yield from self._labelled()
        except UnicodeDecodeError as error:
            line, byte = self._n_lines, error.start + 1
            told = f"Line {line} is not UTF-8: its byte {byte} is {error.object[error.start]:#04x}."
            raise BadRecord(f"{told} Send the file as UTF-8.", line=line, byte=byte) from error

    def check_names(self) -> None:
        """Raise `BadRecord` if no row of those that were read has a text and a label."""
        if self.n_rows and self.n_bad == self.n_rows:
            shown = ", ".join(f"line {row.line} {row.reason}" for row in self.first_bad)
            wanted = f"{self._fields.text_field!r} and {self._fields.label_field!r}"
            raise BadRecord(
                f"No row has a text and a label in {wanted}: {shown}. {self._there_is()}",
                rows=[row._asdict() for row in self.first_bad],
                names=self.names,
            )

    def _labelled(self) -> Iterator[Labelled]:
        for values in self._values():
            text, label = _told(values[0]), _told(values[1])
            if not label or len(label) > MAX_LABEL_LENGTH:
                self._lacks("label", f"has the label {str(values[1])[:40]!r}")
            elif not isinstance(values[0], str) or not text:
                self._lacks("text", f"has the text {str(values[0])[:40]!r}")
            else:
                yield Labelled(text, label, _told(values[2]) or None)

    def _values(self) -> Iterator[list[Any]]:
        """Text, label and group of each row as they stand there."""
        fields = self._fields
        names = [fields.text_field, fields.label_field, *filter(None, [fields.group_field])]
        if isinstance(self._format, JsonLines):
            for record in self._objects():
                found = [member(record, name) for name in names]
                yield found if len(found) == 3 else [*found, None]
            return
        for places, row in self._columns(*names):
            cells = [row[place] if place < len(row) else None for place in places]
            yield cells if len(cells) == 3 else [*cells, None]

    def _lacks(self, what: str, reason: str) -> None:
        self.lacking[what] += 1
        self._bad(reason)


def _format_of(fields: LabelledFields, first: bytes) -> LineFormat:
    kind = fields.format
    if kind == "auto":
        kind = "jsonl" if first.lstrip().startswith(b"{") else "tsv" if b"\t" in first else "csv"
    if kind == "jsonl":
        return JsonLines(field=fields.text_field)
    return (Csv if kind == "csv" else Tsv)(column=fields.text_field)


def _told(value: Any) -> str:
    """A value as a label is written; empty for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else ""
