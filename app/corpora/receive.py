"""Bytes from the network -> text in storage: check, decode, count lines and words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from app.core.catalog.uploads import CorpusContent
from app.core.errors import CorpusEmpty, CorpusTooLarge
from app.core.magic import PARQUET
from app.core.names import new_corpus_key
from app.core.stored_file import ObjectWriter
from app.corpora.decode import TextDecoder
from app.corpora.recognise import HEAD_BYTES, check_is_text
from app.web.decompress import Decoder
from app.web.uploads import Receiver, Upload


class TextReceiver(Receiver):
    """Takes a body that is text, and writes it as UTF-8, or a Parquet file, and writes that as it is.

    Also raises `CorpusNotText`, and at the end `CorpusEmpty`.
    """

    noun = "corpus"
    too_large = CorpusTooLarge

    def __init__(self, writer: ObjectWriter, decoder: Decoder, *, text: TextDecoder, **limits: Any) -> None:
        super().__init__(writer, decoder, **limits)
        self._text = text
        self._head: bytes | None = b""
        self._in_word = False
        self._last_byte = 0x0A
        self.is_text = True
        self.n_lines = 0
        self.n_words = 0

    def finish(self) -> None:
        super().finish()
        if self._last_byte != 0x0A:
            self.n_lines += 1
        if self.is_text and not self.n_words:
            raise CorpusEmpty(n_bytes=self.n_bytes)

    def _take(self, piece: bytes, *, final: bool = False) -> None:
        """Hold the first bytes back until there are enough to tell what they are."""
        if self._head is not None:
            self._head += piece
            if len(self._head) < HEAD_BYTES and not final:
                return
            piece, self._head = self._head, None
            self.is_text = not piece.startswith(PARQUET)
            if self.is_text:
                check_is_text(piece[:HEAD_BYTES], self._text.encoding)
        self._write(self._text.utf8(piece, final=final) if self.is_text else piece)

    def _write(self, data: bytes) -> None:
        super()._write(data)
        if not data or not self.is_text:
            return
        codes = np.frombuffer(data, np.uint8)
        self.n_lines += int(np.count_nonzero(codes == 0x0A))  # bytes.count takes five times as long
        is_letter = codes > 0x20
        starts = np.count_nonzero(is_letter[1:] > is_letter[:-1])
        self.n_words += int(starts) + int(is_letter[0] and not self._in_word)
        self._in_word = bool(is_letter[-1])
        self._last_byte = data[-1]


async def receive(upload: Upload, body: AsyncIterator[bytes], text: TextDecoder) -> CorpusContent:
    """Stream a body into storage; raises as `TextReceiver`, and leaves nothing then."""
    key = new_corpus_key()
    received = await upload.store(key, body, TextReceiver, text=text)
    sizes = (received.n_lines, received.n_words) if received.is_text else (None, None)
    return CorpusContent(key, received.sha256, received.n_bytes, *sizes)
