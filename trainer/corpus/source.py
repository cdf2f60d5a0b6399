"""The unpacked text of a corpus file: plain, gzip or zstd by its first bytes, its rows by the spec."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from app.core.errors import BadCompression, BadRecord, CorpusNotText
from app.core.magic import GZIP, PARQUET, ZSTD
from app.core.text import Parquet, PlainText, TextReader, TextSpec, Tokens, without_surrogates
from app.core.text.parquet import ParquetRows
from app.core.text.rows import Rows, line_rows
from trainer.corpus.chunks import Chunks
from trainer.corpus.lines import Tokenised, lines_of, tokenised

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUFFER_BYTES = 1 << 18
_MAX_ROWS = 1 << 14
FIRST_BYTES = 1 << 16
ZSTD_WINDOW_LOG_MAX = 27


class Opened(NamedTuple):
    """The bytes of a text, the file they come from, whose position tells how far the reading is, and its rows.

    `tokenised` are the bytes, too, where a tokenizer makes them.
    """

    stream: io.BufferedReader
    file: BinaryIO
    rows: Rows | None
    tokenised: Tokenised | None = None


@contextmanager
def open_text(source: Path, reader: TextReader, threads: int = 1) -> Iterator[Opened]:
    """Where the tokenizer must see whole lines, they are words with blanks between them, made with so many threads."""
    with _open_lines(source, reader) as opened:
        if not reader.needs_lines:
            yield opened
            return
        with tokenised(opened.stream, reader, threads) as chunks:
            yield opened._replace(stream=io.BufferedReader(chunks, _BUFFER_BYTES), tokenised=chunks)


@contextmanager
def _open_lines(source: Path, reader: TextReader) -> Iterator[Opened]:
    with source.open("rb") as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
        file.seek(0)
        if is_parquet:
            if not isinstance(reader.spec.format, Parquet):
                raise BadRecord("The corpus is a Parquet file; say so with the format 'parquet' and a column.")
            table = ParquetRows(reader.spec.format, file)
            yield Opened(io.BufferedReader(_RowText(table), _BUFFER_BYTES), file, table)
            return
        stream = _unpacked(file)
        if stream.peek(3)[:3] == _BYTE_ORDER_MARK:
            stream.read(3)
        if isinstance(reader.spec.format, PlainText):
            yield Opened(stream, file, None)
        elif isinstance(reader.spec.format, Tokens):
            yield Opened(io.BufferedReader(_ItemText(stream, reader), _BUFFER_BYTES), file, None)
        else:
            rows = line_rows(reader.spec.format, stream.readline)
            yield Opened(io.BufferedReader(_RowText(rows), _BUFFER_BYTES), file, rows)


def first_lines(source: Path, spec: TextSpec, n_lines: int, max_length: int) -> list[str]:
    """The first lines that have text, as they are, but not more of each than so many characters."""
    rough = spec.roughly()
    if isinstance(spec.format, Tokens):
        rough = rough.model_copy(update={"format": PlainText(), "tokenizer": "whitespace"})
    with open_text(source, TextReader(rough)) as opened:
        text = opened.stream.read(FIRST_BYTES).decode(errors="ignore")
    lines = (line[:max_length] for line in text.split("\n"))
    return [line for line in lines if line.strip()][:n_lines]


def first_invalid_byte(source: Path) -> int | None:
    """How many bytes of the unpacked file are UTF-8 before the first that is not; None if all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    with source.open("rb") as file:
        stream = _unpacked(file)
        while True:
            chunk = stream.read(1 << 20)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return position - waiting + error.start
            if not chunk:
                return None
            position += len(chunk)


def not_text(source: Path) -> CorpusNotText:
    """Where a corpus is not UTF-8."""
    position = first_invalid_byte(source)
    if position is None:
        return CorpusNotText()
    return CorpusNotText(f"The corpus is not valid UTF-8: byte {position} is the first wrong one.", byte=position)


def _unpacked(file: BinaryIO) -> io.BufferedReader:
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(GZIP):
        return io.BufferedReader(_GzipText(file), _BUFFER_BYTES)
    if magic == ZSTD:
        return io.BufferedReader(_ZstdText(file), _BUFFER_BYTES)
    return cast("io.BufferedReader", file)


class _GzipText(Chunks):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = gzip.GzipFile(fileobj=file)

    def chunk(self) -> bytes:
        try:
            return self._file.read(_BUFFER_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadCompression(f"The gzip data of the corpus is damaged or cut off: {error}") from error


class _ZstdText(Chunks):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = zstd.ZstdFile(file, options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX})

    def chunk(self) -> bytes:
        try:
            return self._file.read(_BUFFER_BYTES)
        except (EOFError, zstd.ZstdError) as error:
            raise BadCompression(f"The zstd data of the corpus is damaged or cut off: {error}") from error


class _RowText(Chunks):
    """The texts of rows, a line end after each."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._rows = rows
        self._texts = iter(rows)

    def chunk(self) -> bytes:
        texts: list[str] = []
        n_characters = 0
        for text in self._texts:
            texts.append(text)
            n_characters += len(text)
            if n_characters >= _BUFFER_BYTES or len(texts) >= _MAX_ROWS:
                break
        else:
            self._rows.check()
        texts.append("")
        return without_surrogates("\n".join(texts)).encode()


class _ItemText(Chunks):
    """Lines of items, with blanks between the items alone."""

    def __init__(self, lines: io.BufferedReader, reader: TextReader) -> None:
        super().__init__()
        self._lines = lines
        self._reader = reader

    def chunk(self) -> bytes:
        return self._reader.separated(lines_of(self._lines, _BUFFER_BYTES).decode()).encode()
