"""How the beginning of a corpus will be read: what a submission is checked by, and what a preview shows."""

from __future__ import annotations

import io
from typing import IO, NamedTuple

from app.core.errors import BadRecord
from app.core.magic import PARQUET
from app.core.text.formats import Parquet, PlainText, Tokens
from app.core.text.parquet import ParquetRows
from app.core.text.reader import TextReader, without_surrogates
from app.core.text.rows import BadRow, line_rows
from app.core.text.spec import TextSpec

SAMPLE_BYTES = 1 << 20


class Sample(NamedTuple):
    """Lines as words, the first ones, and what is said of the rows of the sample."""

    lines: list[list[str]]
    n_rows: int
    n_bad_rows: int
    first_bad: list[BadRow]
    names: list[str]


def read_sample(content: bytes, spec: TextSpec, *, is_whole: bool, n_lines: int = 1) -> Sample:
    """The first lines that have words.

    Parameters
    ----------
    content : the first bytes of the corpus
    spec : how it will be read
    is_whole : whether that is all of it; if not, a line that is cut is left out
    n_lines : as many are returned, if there are

    Raises
    ------
    BadRecord
        Too many rows have no text, or no line has a word.
    """
    if content.startswith(PARQUET):
        raise BadRecord("The corpus is a Parquet file; say so with the format 'parquet' and a column.")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not is_whole:
        content = content[: content.rfind(b"\n") + 1] or content
    if isinstance(spec.format, PlainText | Tokens):
        return Sample(_lines([content.decode(errors="replace")], spec, n_lines, []), 0, 0, [], [])
    rows = line_rows(spec.format, io.BytesIO(content).readline)
    if not content.endswith(b"\n") and not is_whole:
        return Sample([], 0, 0, [], [])  # not one row is whole, so that nothing can be said
    texts = list(rows)
    rows.check(is_cut=not is_whole)
    return Sample(_lines(texts, spec, n_lines, rows.names), rows.n_rows, rows.n_bad, rows.first_bad, rows.names)


def read_parquet_sample(file: IO[bytes], spec: TextSpec, *, n_lines: int = 1) -> Sample:
    """The same of a Parquet file, of which as much text is read; raises `ExtraMissing`, too."""
    assert isinstance(spec.format, Parquet)  # noqa: S101 (for the type checker)
    rows = ParquetRows(spec.format, file)
    texts, _ = rows.sample(SAMPLE_BYTES)
    rows.check()
    return Sample(_lines(texts, spec, n_lines, rows.names), rows.n_rows, rows.n_bad, rows.first_bad, rows.names)


def _lines(texts: list[str], spec: TextSpec, n_lines: int, names: list[str]) -> list[list[str]]:
    """The first lines that have words, as words; raises `BadRecord` if there is none."""
    reader = TextReader(spec.roughly())
    lines: list[list[str]] = []
    for line in without_surrogates("\n".join(texts)).split("\n"):
        if len(lines) < n_lines and (words := reader.words(line)):
            lines.append(words)
    if not lines:
        raise BadRecord(
            f"The corpus has no words as it would be read: format {spec.format.kind!r}, "
            f"tokenizer {spec.tokenizer if isinstance(spec.tokenizer, str) else spec.tokenizer.kind!r}.",
            names=names,
        )
    return lines
