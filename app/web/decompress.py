"""Content encodings undone piece by piece, in bounded memory: identity, gzip, zstd."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

from app.core.errors import BadCompression, UnsupportedEncoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 1 << 20
ZSTD_WINDOW_LOG_MAX = 27

SLICE_BYTES = 1 << 16
"""What is decoded at a time: at the end of each frame the rest of a slice is copied, and frames may be tiny."""
MAX_EMPTY_PARTS = 1000
"""Frames or members without any text; writers that flush make some, and thousands are made to keep us busy."""


class Decoder(Protocol):
    """Undoes a content encoding; what comes out is cut into bounded pieces."""

    def decode(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """Raise `BadCompression` unless the compressed stream is complete."""


class _Parts:
    """Counts the frames or members of a body that hold nothing."""

    def __init__(self) -> None:
        self._n_empty = 0
        self._n_bytes = 0

    def add(self, piece: bytes, *, is_end: bool) -> None:
        self._n_bytes += len(piece)
        if is_end:
            self._n_empty += not self._n_bytes
            self._n_bytes = 0
        if self._n_empty > MAX_EMPTY_PARTS:
            raise BadCompression(f"The body has more than {MAX_EMPTY_PARTS} empty frames or members.")


def _slices(data: bytes) -> Iterator[bytes]:
    return (data[start : start + SLICE_BYTES] for start in range(0, len(data), SLICE_BYTES))


class Identity:
    """No content encoding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        pass


class Gzip:
    """gzip, of one or more members."""

    def __init__(self) -> None:
        self._member = self._new()
        self._started = False
        self._parts = _Parts()

    @staticmethod
    def _new() -> zlib._Decompress:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decode(self, data: bytes) -> Iterator[bytes]:
        for part in _slices(data):
            yield from self._decode(part)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._member.eof:
                    self._member = self._new()
                self._started = True
                piece = self._member.decompress(data, PIECE_BYTES)
                data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
                self._parts.add(piece, is_end=self._member.eof)
                if piece:
                    yield piece
            while not self._member.eof and (piece := self._member.decompress(b"", PIECE_BYTES)):
                yield piece
        except zlib.error as error:
            raise BadCompression(f"The body is not valid gzip: {error}.", encoding="gzip") from error

    def finish(self) -> None:
        if self._started and not self._member.eof:
            raise BadCompression("The gzip body is truncated.", encoding="gzip")


class Zstandard:
    """Zstandard, of one or more frames."""

    def __init__(self) -> None:
        self._frame = self._new()
        self._started = False
        self._parts = _Parts()

    @staticmethod
    def _new() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX})

    def decode(self, data: bytes) -> Iterator[bytes]:
        for part in _slices(data):
            yield from self._decode(part)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        try:
            while data or not (self._frame.eof or self._frame.needs_input):
                if self._frame.eof:
                    self._frame = self._new()
                self._started = True
                piece = self._frame.decompress(data, PIECE_BYTES)
                data = self._frame.unused_data if self._frame.eof else b""
                self._parts.add(piece, is_end=self._frame.eof)
                if piece:
                    yield piece
        except zstd.ZstdError as error:
            raise BadCompression(f"The body is not valid zstd: {error}.", encoding="zstd") from error

    def finish(self) -> None:
        if self._started and not self._frame.eof:
            raise BadCompression("The zstd body is truncated.", encoding="zstd")


DECODERS: dict[str, type[Identity | Gzip | Zstandard]] = {
    "": Identity,
    "identity": Identity,
    "gzip": Gzip,
    "x-gzip": Gzip,
    "zstd": Zstandard,
}


def decoder_for(content_encoding: str) -> Decoder:
    """Raise `UnsupportedEncoding` for anything but identity, gzip and zstd."""
    name = content_encoding.strip().lower()
    if name not in DECODERS:
        raise UnsupportedEncoding(
            f"Content-Encoding {content_encoding!r} is not supported; send identity, gzip or zstd.",
            encoding=content_encoding,
        )
    return DECODERS[name]()
