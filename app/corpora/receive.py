"""Bytes from the network -> text in storage, with constant memory: decompress, check, decode, hash, count, write."""

from __future__ import annotations

import hashlib

import numpy as np

from app.core.errors import BadCompression, CorpusEmpty, CorpusTooLarge
from app.core.storage import ObjectWriter
from app.corpora.decode import TextDecoder
from app.corpora.decompress import Decoder
from app.corpora.recognise import HEAD_BYTES, check_is_text

RATIO_FREE_BYTES = 10 << 20


class Receiver:
    """Takes the body piece by piece and writes the text as UTF-8.

    Limits are checked inside the decoding loop, so that a small body cannot expand without end.
    """

    def __init__(
        self, writer: ObjectWriter, decoder: Decoder, text: TextDecoder, *, max_bytes: int, max_ratio: float
    ) -> None:
        self._writer = writer
        self._decoder = decoder
        self._text = text
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._head: bytes | None = b""
        self._hash = hashlib.sha256()
        self._n_received = 0
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
            self._take(piece)
            self._check_size()

    def finish(self) -> None:
        """Take the end of the body.

        Raises
        ------
        CorpusTooLarge, BadCompression, CorpusNotText, CorpusEmpty
        """
        self._decoder.finish()
        self._take(b"", final=True)
        self._check_size()
        if self._last_byte != 0x0A:
            self.n_lines += 1
        if not self.n_words:
            raise CorpusEmpty(n_bytes=self.n_bytes)

    def _take(self, piece: bytes, *, final: bool = False) -> None:
        """Hold the first bytes back until there are enough to tell what they are."""
        if self._head is not None:
            self._head += piece
            if len(self._head) < HEAD_BYTES and not final:
                return
            piece, self._head = self._head, None
            check_is_text(piece[:HEAD_BYTES], self._text.encoding)
        self._write(self._text.utf8(piece, final=final))

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
