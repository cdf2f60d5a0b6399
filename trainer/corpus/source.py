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
from typing import BinaryIO, cast

from typing_extensions import Buffer

from app.core.errors import BadCompression, BadRecord
from app.core.magic import GZIP, PARQUET, ZSTD
from app.core.text import Parquet, PlainText, TextReader, Tokens, without_surrogates
from app.core.text.parquet import ParquetRows
from app.core.text.rows import MAX_RECORD_BYTES, Rows, line_rows

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUFFER_BYTES = 1 << 18
_MAX_ROWS = 1 << 14
ZSTD_WINDOW_LOG_MAX = 27


@contextmanager
def open_text(source: Path, reader: TextReader) -> Iterator[tuple[io.BufferedReader, BinaryIO, Rows | None]]:
    """The bytes of the text, the file they come from, whose position tells how far the reading is, and its rows."""
    with source.open("rb") as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
        file.seek(0)
        if is_parquet:
            if not isinstance(reader.spec.format, Parquet):
                raise BadRecord("The corpus is a Parquet file; say so with the format 'parquet' and a column.")
            table = ParquetRows(reader.spec.format, file)
            yield io.BufferedReader(_RowText(table), _BUFFER_BYTES), file, table
            return
        stream = _unpacked(file)
        if stream.peek(3)[:3] == _BYTE_ORDER_MARK:
            stream.read(3)
        if isinstance(reader.spec.format, PlainText):
            yield stream, file, None
        elif isinstance(reader.spec.format, Tokens):
            yield io.BufferedReader(_ItemText(stream, reader), _BUFFER_BYTES), file, None
        else:
            rows = line_rows(reader.spec.format, stream.readline)
            yield io.BufferedReader(_RowText(rows), _BUFFER_BYTES), file, rows


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


def _unpacked(file: BinaryIO) -> io.BufferedReader:
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(GZIP):
        return io.BufferedReader(_GzipText(file), _BUFFER_BYTES)
    if magic == ZSTD:
        return io.BufferedReader(_ZstdText(file), _BUFFER_BYTES)
    return cast("io.BufferedReader", file)


class _Chunks(io.RawIOBase):
    """A readable stream of the pieces that `chunk` returns, b"" at the end."""

    def __init__(self) -> None:
        self._rest = memoryview(b"")

    def chunk(self) -> bytes:
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = memoryview(self.chunk())
        n_bytes = min(len(view), len(self._rest))
        view[:n_bytes] = self._rest[:n_bytes]
        self._rest = self._rest[n_bytes:]
        return n_bytes


class _GzipText(_Chunks):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = gzip.GzipFile(fileobj=file)

    def chunk(self) -> bytes:
        try:
            return self._file.read(_BUFFER_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadCompression(f"The gzip data of the corpus is damaged or cut off: {error}") from error


class _ZstdText(_Chunks):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = zstd.ZstdFile(file, options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX})

    def chunk(self) -> bytes:
        try:
            return self._file.read(_BUFFER_BYTES)
        except (EOFError, zstd.ZstdError) as error:
            raise BadCompression(f"The zstd data of the corpus is damaged or cut off: {error}") from error


class _RowText(_Chunks):
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


class _ItemText(_Chunks):
    """Lines of items, with blanks between the items alone."""

    def __init__(self, lines: io.BufferedReader, reader: TextReader) -> None:
        super().__init__()
        self._lines = lines
        self._reader = reader

    def chunk(self) -> bytes:
        lines = self._lines.read(_BUFFER_BYTES)
        rest = self._lines.readline(MAX_RECORD_BYTES) if lines else b""
        return self._reader.separated((lines + rest).decode()).encode()
