"""How the beginning of a corpus will be read: what a submission is checked by, and what a preview shows."""

from __future__ import annotations

import io
from typing import NamedTuple

from app.core.errors import BadRecord
from app.core.text.formats import PlainText, Tokens
from app.core.text.reader import TextReader, without_surrogates
from app.core.text.rows import BadRow, Rows
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
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not is_whole:
        content = content[: content.rfind(b"\n") + 1] or content
    reader = TextReader(spec)
    rows = None if isinstance(spec.format, PlainText | Tokens) else Rows(spec.format, io.BytesIO(content).readline)
    if rows and not content.endswith(b"\n") and not is_whole:
        return Sample([], 0, 0, [], [])  # not one row is whole, so that nothing can be said
    if rows is None:
        texts = [content.decode(errors="replace")]
    else:
        texts = [without_surrogates(text) for text in rows]
        rows.check(is_cut=not is_whole)
    lines: list[list[str]] = []
    for line in "\n".join(texts).split("\n"):
        if len(lines) < n_lines and (words := reader.words(line)):
            lines.append(words)
    if not lines:
        raise BadRecord(
            f"The corpus has no words as it would be read: format {spec.format.kind!r}, tokenizer {spec.tokenizer!r}.",
            names=rows.names if rows else [],
        )
    if rows is None:
        return Sample(lines, 0, 0, [], [])
    return Sample(lines, rows.n_rows, rows.n_bad, rows.first_bad, rows.names)
