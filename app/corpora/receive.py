"""Bytes from the network -> text in storage, with constant memory: decode, check, hash, count, write."""

from __future__ import annotations

import codecs
import hashlib
import sys
import zlib
from collections.abc import Iterator
from typing import Literal, Protocol

import numpy as np

from app.core.errors import BadCompression, CorpusEmpty, CorpusNotText, CorpusTooLarge, UnsupportedEncoding
from app.core.storage import ObjectWriter

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 1 << 20
RATIO_FREE_BYTES = 10 << 20
ZSTD_WINDOW_LOG_MAX = 27

SLICE_BYTES = 1 << 16
"""What is decoded at a time: at the end of each frame the rest of a slice is copied, and frames may be tiny."""
MAX_EMPTY_PARTS = 1000
"""Frames or members without any text; writers that flush make some, and thousands are made to keep us busy."""

InvalidUtf8 = Literal["reject", "replace"]


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


class Receiver:
    """Takes the body piece by piece and writes the text.

    Limits are checked inside the decoding loop, so that a small body cannot expand without end.
    """

    def __init__(
        self, writer: ObjectWriter, decoder: Decoder, *, invalid_utf8: InvalidUtf8, max_bytes: int, max_ratio: float
    ) -> None:
        self._writer = writer
        self._decoder = decoder
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._replaces = invalid_utf8 == "replace"
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace" if self._replaces else "strict")
        self._hash = hashlib.sha256()
        self._n_received = 0
        self._n_decoded = 0
        self._in_word = False
        self._last_byte = 0x0A
        self.n_bytes = 0
        self.n_lines = 0
        self.n_words = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body.

        Raises
        ------
        CorpusTooLarge, BadCompression, CorpusNotText
        """
        self._n_received += len(data)
        for piece in self._decoder.decode(data):
            self._check_text(piece)
            self._check_size()

    def finish(self) -> None:
        """Take the end of the body.

        Raises
        ------
        BadCompression, CorpusNotText, CorpusEmpty
        """
        self._decoder.finish()
        self._check_text(b"", final=True)
        if self._last_byte != 0x0A:
            self.n_lines += 1
        if not self.n_words:
            raise CorpusEmpty(n_bytes=self.n_bytes)

    def _check_text(self, piece: bytes, *, final: bool = False) -> None:
        pending = len(self._utf8.getstate()[0])
        try:
            text = self._utf8.decode(piece, final)
        except UnicodeDecodeError as error:
            offset = self._n_decoded - pending + error.start
            raise CorpusNotText(
                f"Byte {offset} is not valid UTF-8 ({error.reason}); convert the text, or send invalid_utf8=replace.",
                offset=offset,
            ) from error
        self._n_decoded += len(piece)
        self._write(text.encode() if self._replaces else piece)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self._hash.update(data)
        self.n_bytes += len(data)
        self.n_lines += data.count(b"\n")
        is_letter = np.frombuffer(data, np.uint8) > 0x20
        starts = np.count_nonzero(is_letter[1:] & ~is_letter[:-1])
        self.n_words += int(starts) + int(is_letter[0] and not self._in_word)
        self._in_word = bool(is_letter[-1])
        self._last_byte = data[-1]
        self._writer.write(data)

    def _check_size(self) -> None:
        if self.n_bytes > self._max_bytes:
            raise CorpusTooLarge(
                f"The corpus has more than {self._max_bytes} bytes, the limit of this service.",
                limit_bytes=self._max_bytes,
            )
        if self.n_bytes > RATIO_FREE_BYTES and self.n_bytes > self._max_ratio * self._n_received:
            raise BadCompression(
                f"The body expands more than {self._max_ratio:g} times, the limit of this service.",
                limit_ratio=self._max_ratio,
            )
