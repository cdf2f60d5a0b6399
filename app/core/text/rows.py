"""Rows -> their texts; rows without one are counted. Here those of JSON Lines, CSV and TSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.core.errors import BadRecord
from app.core.text.formats import JsonLines, LineFormat, Parquet, RowFormat

MAX_RECORD_BYTES = 1 << 28
"""Longest row that is read into memory."""
N_TOLD = 5
MAX_NAMES = 100

csv.field_size_limit(MAX_RECORD_BYTES)

ReadLine = Callable[[int], bytes]
"""As of a binary file: a line with its end, at most so many bytes of it; nothing at the end."""


class BadRow(NamedTuple):
    line: int
    reason: str


class Rows:
    """The texts of the rows in order, and what was counted so far.

    Parameters
    ----------
    format : how rows hold their text
    """

    def __init__(self, format: RowFormat) -> None:  # noqa: A002 (what a spec calls it)
        self.n_rows = 0
        self.n_bad = 0
        self.first_bad: list[BadRow] = []
        self.names: list[str] = []
        self._format = format
        self._n_lines = 0
        self._last_bad = -1

    def __iter__(self) -> Iterator[str]:
        """Raise UnicodeDecodeError, or `BadRecord` for a row that is too long or a column that is not there."""
        raise NotImplementedError

    def sample(self, n_characters: int) -> tuple[list[str], bool]:
        """The first texts, of about so many characters together; True if those are all."""
        texts, n_read = [], 0
        for text in self:
            texts.append(text)
            n_read += len(text)
            if n_read >= n_characters:
                return texts, False
        return texts, True

    def check(self, *, is_cut: bool = False) -> None:
        """Raise `BadRecord` if too many rows had no text; of a text that is cut the last row does not count."""
        limit = self._format.max_bad_rows
        n_cut = int(is_cut and self._last_bad == self.n_rows)
        if self.n_bad - n_cut <= limit * self.n_rows:
            return
        shown = ", ".join(f"line {row.line} ({row.reason})" for row in self.first_bad)
        raise BadRecord(
            f"{self.n_bad} of {self.n_rows} rows have no text in {self._wanted!r}, more than max_bad_rows ({limit:g}) "
            f"allows: {shown}. {self._there_is()}",
            line=self.first_bad[0].line,
            rows=[row._asdict() for row in self.first_bad],
            names=self.names,
            n_rows=self.n_rows,
            n_bad_rows=self.n_bad,
        )

    def told(self) -> dict[str, Any]:
        """What a version's record says of its rows."""
        return {"n_rows": self.n_rows, "n_bad_rows": self.n_bad, "first_bad": [r._asdict() for r in self.first_bad]}

    @property
    def _wanted(self) -> str | int:
        return self._format.field if isinstance(self._format, JsonLines) else self._format.column

    def _there_is(self) -> str:
        return f"There are: {', '.join(self.names)}." if self.names else "No row has named members."

    def _bad(self, reason: str) -> None:
        self.n_bad += 1
        self._last_bad = self.n_rows
        if len(self.first_bad) < N_TOLD:
            self.first_bad.append(BadRow(self._n_lines, reason[:200]))


class LineRows(Rows):
    """Rows that are lines.

    Parameters
    ----------
    format : how rows hold their text
    readline : hands out the lines
    """

    _format: LineFormat

    def __init__(self, format: LineFormat, readline: ReadLine) -> None:  # noqa: A002 (what a spec calls it)
        super().__init__(format)
        self._readline = readline

    def __iter__(self) -> Iterator[str]:
        return self._json_texts(self._format.field) if isinstance(self._format, JsonLines) else self._column_texts()

    def _lines(self) -> Iterator[bytes]:
        while line := self._readline(MAX_RECORD_BYTES + 1):
            self._n_lines += 1
            if len(line) > MAX_RECORD_BYTES:
                raise BadRecord(f"Line {self._n_lines} is longer than {MAX_RECORD_BYTES} bytes.", line=self._n_lines)
            yield line

    def _objects(self) -> Iterator[Any]:
        """What stands in the lines; names are known before the first."""
        for line in self._lines():
            text = line.decode()
            if not text.strip():
                continue
            self.n_rows += 1
            try:
                record = json.loads(text)
            except (ValueError, RecursionError) as error:
                self._bad(f"is not JSON: {error}")
                continue
            if self.n_rows <= N_TOLD:
                self._name(record)
            yield record

    def _json_texts(self, field: str) -> Iterator[str]:
        path = field.split(".")
        for record in self._objects():
            value = record.get(field) if isinstance(record, dict) else None
            if type(value) is str:
                yield value
                continue
            value = _member(record, path) if value is None else value
            if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
                yield " ".join(value)
            elif isinstance(value, str):
                yield value
            else:
                self._bad(_reason(value, record))

    def _name(self, record: Any, prefix: str = "") -> None:
        for name, value in record.items() if isinstance(record, dict) else ():
            if len(self.names) < MAX_NAMES and prefix + name not in self.names:
                self.names.append(prefix + name)
            if isinstance(value, dict) and not prefix:
                self._name(value, f"{name}.")

    def _columns(self, *columns: str | int) -> Iterator[tuple[list[int], list[str]]]:
        """Where these columns are, and each row that is not empty."""
        assert not isinstance(self._format, JsonLines)  # noqa: S101 (for the type checker)
        quote = self._format.quote
        reader = csv.reader(
            (line.decode() for line in self._lines()),
            delimiter=self._format.delimiter,
            quotechar=quote,
            quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        )
        try:
            if self._format.header:
                self.names = [name.strip() for name in next(reader, [])][:MAX_NAMES]
            places = [self._place(column) for column in columns]
            for row in filter(None, reader):
                self.n_rows += 1
                yield places, row
        except csv.Error as error:
            raise BadRecord(f"Line {self._n_lines} cannot be read: {error}.", line=self._n_lines) from error

    def _column_texts(self) -> Iterator[str]:
        assert not isinstance(self._format, JsonLines)  # noqa: S101 (for the type checker)
        for (place,), row in self._columns(self._format.column):
            if place < len(row):
                yield row[place]
            else:
                self._bad(f"has {len(row)} columns")

    def _place(self, column: str | int) -> int:
        if column in self.names:
            return self.names.index(str(column))
        if str(column).isdecimal() and int(column) > 0:
            return int(column) - 1
        raise BadRecord(f"There is no column {column!r}. {self._there_is()}", line=1, names=self.names)


def line_rows(format: RowFormat, readline: ReadLine) -> LineRows:  # noqa: A002 (what a spec calls it)
    """Rows of a text; raises `BadRecord` if they are said to be Parquet."""
    if isinstance(format, Parquet):
        raise BadRecord("The corpus is text, no Parquet file: say plain, jsonl, csv, tsv or tokens.")
    return LineRows(format, readline)


def member(record: Any, field: str) -> Any:
    """What an object has under a name, or else at a path of names with dots between; None for nothing."""
    found = record.get(field) if isinstance(record, dict) else None
    return _member(record, field.split(".")) if found is None else found


def _member(record: Any, path: list[str]) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _reason(value: Any, record: Any) -> str:
    if not isinstance(record, dict):
        return "is not an object"
    if value is None:
        return "is null or missing"
    return f"holds {json.dumps(value)[:40]}"
