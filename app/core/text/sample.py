"""How the beginning of a corpus will be read: what a submission is checked by, and what a preview shows."""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import islice
from typing import IO, NamedTuple

from app.core.errors import BadRecord
from app.core.magic import PARQUET
from app.core.text.formats import Parquet, PlainText, Tokens
from app.core.text.parquet import ParquetRows
from app.core.text.pieces import MAX_TYPES, learned
from app.core.text.reader import TextReader, without_surrogates
from app.core.text.rows import BadRow, Rows, line_rows
from app.core.text.spec import TextSpec
from app.core.text.tokenizers import Resources
from app.core.text.tokenizers.sentencepiece import MODEL, SentencePiece

SAMPLE_BYTES = 1 << 20

_RUN = re.compile(rb"[^\x00-\x20]+")


class Sample(NamedTuple):
    """The text as it is, its first lines as words, and what is said of the rows of the sample."""

    raw: str
    is_whole: bool
    lines: list[list[str]]
    n_rows: int
    n_bad_rows: int
    first_bad: list[BadRow]
    names: list[str]

    @classmethod
    def of(cls, texts: list[str], spec: TextSpec, n_lines: int, rows: Rows | None, *, is_whole: bool) -> Sample:
        """Raise `BadRecord` if no line has a word."""
        text = without_surrogates("\n".join(texts))
        lines = _lines(text, spec, n_lines, rows.names if rows else [])
        told = (rows.n_rows, rows.n_bad, rows.first_bad, rows.names) if rows else (0, 0, [], [])
        return cls(text, is_whole, lines, *told)


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
        return Sample.of([content.decode(errors="replace")], spec, n_lines, None, is_whole=is_whole)
    rows = line_rows(spec.format, io.BytesIO(content).readline)
    if not content.endswith(b"\n") and not is_whole:
        return Sample("", False, [], 0, 0, [], [])  # not one row is whole, so that nothing can be said
    texts = list(rows)
    rows.check(is_cut=not is_whole)
    return Sample.of(texts, spec, n_lines, rows, is_whole=is_whole)


def read_parquet_sample(file: IO[bytes], spec: TextSpec, *, n_lines: int = 1) -> Sample:
    """The same of a Parquet file, of which as much text is read; raises `ExtraMissing`, too."""
    assert isinstance(spec.format, Parquet)  # noqa: S101 (for the type checker)
    rows = ParquetRows(spec.format, file)
    texts, is_whole = rows.sample(SAMPLE_BYTES)
    rows.check()
    return Sample.of(texts, spec, n_lines, rows, is_whole=is_whole)


def read_tokenised(text: str, spec: TextSpec, resources: Resources, n_lines: int) -> list[list[str]]:
    """The first lines that have words, as the spec's tokenizer reads them; pieces are learned of this text.

    Raises
    ------
    ExtraMissing, TokenizerUnusable, TokenizerNotLearned
    """
    rough = TextReader(spec.roughly())
    if isinstance(spec.options, SentencePiece) and MODEL not in resources:
        counted = Counter(_RUN.findall(text.encode()))
        runs = sorted(counted, key=lambda run: (-counted[run], run))[:MAX_TYPES]
        types, counts = [run.decode() for run in runs], [counted[run] for run in runs]
        resources = {**resources, MODEL: learned(types, counts, rough, spec.options)}
    first = list(islice(filter(rough.words, text.split("\n")), n_lines))
    return list(TextReader(spec, resources).words_of_each(first))


def _lines(text: str, spec: TextSpec, n_lines: int, names: list[str]) -> list[list[str]]:
    """The first lines that have words, as words; raises `BadRecord` if there is none."""
    reader = TextReader(spec.roughly())
    lines: list[list[str]] = []
    for line in text.split("\n"):
        if len(lines) < n_lines and (words := reader.words(line)):
            lines.append(words)
    if not lines:
        raise BadRecord(
            f"The corpus has no words as it would be read: format {spec.format.kind!r}, "
            f"tokenizer {spec.tokenizer if isinstance(spec.tokenizer, str) else spec.tokenizer.kind!r}.",
            names=names,
        )
    return lines
