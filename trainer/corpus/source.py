"""The unpacked text of a corpus file: plain, gzip or zstd by its first bytes, and JSON Lines by the spec."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from typing_extensions import Buffer

from app.core.errors import BadCompression, BadRecord, CorpusNotText
from app.core.text import JsonLines, TextSpec, without_surrogates

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_RECORD_BYTES = 1 << 28
"""Longest line of JSON that is read into memory."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUFFER_BYTES = 1 << 18
ZSTD_WINDOW_LOG_MAX = 27


@contextmanager
def open_text(source: Path, spec: TextSpec) -> Iterator[tuple[io.BufferedReader, BinaryIO]]:
    """The bytes of the text, and the file they come from, whose position tells how far the reading is."""
    with source.open("rb") as file:
        stream = _unpacked(file)
        if stream.peek(3)[:3] == _BYTE_ORDER_MARK:
            stream.read(3)
        if isinstance(spec.format, JsonLines):
            stream = io.BufferedReader(_JsonText(stream, spec.format.field), _BUFFER_BYTES)
        yield stream, file


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
    if magic.startswith(_GZIP):
        return io.BufferedReader(_GzipText(file), _BUFFER_BYTES)
    if magic == _ZSTD:
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


class _JsonText(_Chunks):
    """The text of one field of each record, and a line end after it."""

    def __init__(self, lines: io.BufferedReader, field: str) -> None:
        super().__init__()
        self._lines = lines
        self._field = field
        self._n_lines = 0

    def chunk(self) -> bytes:
        texts: list[bytes] = []
        n_bytes = 0
        while n_bytes < _BUFFER_BYTES:
            line = self._lines.readline(MAX_RECORD_BYTES + 1)
            if not line:
                break
            self._n_lines += 1
            if len(line) > MAX_RECORD_BYTES:
                raise BadRecord(f"Line {self._n_lines} is longer than {MAX_RECORD_BYTES} bytes.", line=self._n_lines)
            if line.strip():
                texts.append(self._text(line))
                n_bytes += len(texts[-1])
        return b"".join(texts)

    def _text(self, line: bytes) -> bytes:
        try:
            record = json.loads(line.decode())
        except UnicodeDecodeError as error:
            raise CorpusNotText from error
        except (ValueError, RecursionError) as error:
            raise BadRecord(f"Line {self._n_lines} is not JSON: {error}.", line=self._n_lines) from error
        value = record.get(self._field) if isinstance(record, dict) else None
        if not isinstance(value, str):
            detail = f'Line {self._n_lines} is not an object with text in "{self._field}".'
            raise BadRecord(detail, line=self._n_lines, field=self._field)
        return without_surrogates(value).encode() + b"\n"
