"""Lines of text -> their words with blanks between them, by tokenizers that must see whole lines."""

from __future__ import annotations

import io
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from app.core.text import TextReader, TextSpec
from app.core.text.rows import MAX_RECORD_BYTES
from app.core.text.tokenizers import Resources
from trainer.corpus.chunks import Chunks
from trainer.steps.ending import end_with_parent

CHUNK_BYTES = 1 << 17
"""Of text that is tokenised at once."""
AHEAD = 2
"""Chunks that wait for each process."""

_reader: TextReader | None = None
"""Of a process of the pool."""


@contextmanager
def tokenised(stream: io.BufferedReader, reader: TextReader, threads: int) -> Iterator[Tokenised]:
    """The stream as words, made in as many processes as there are threads, unless the tokenizer has its own."""
    options = reader.spec.options
    if threads == 1 or (options and options.has_threads):
        with ThreadPoolExecutor(1, "tokenize") as one:
            yield Tokenised(stream, one, reader, AHEAD)
        return
    context = multiprocessing.get_context("spawn")
    arguments = (reader.spec, dict(reader.resources))
    with ProcessPoolExecutor(threads, context, _start, arguments) as pool:
        try:
            yield Tokenised(stream, pool, None, AHEAD * threads)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Tokenised(Chunks):
    """Chunks of lines as words, in their order; some are made ahead.

    `tokens_per_second` is that of all chunks until the last one; None before the first.
    """

    def __init__(self, lines: io.BufferedReader, pool: Executor, reader: TextReader | None, n_ahead: int) -> None:
        super().__init__()
        self._lines = lines
        self._pool = pool
        self._reader = reader
        self._n_ahead = n_ahead
        self._waiting: deque[Future[bytes]] = deque()
        self._started, self._n_tokens = time.monotonic(), 0
        self.tokens_per_second: float | None = None

    def chunk(self) -> bytes:
        while len(self._waiting) < self._n_ahead and (text := lines_of(self._lines, CHUNK_BYTES)):
            work = self._pool.submit(_separated, text) if self._reader is None else self._pool.submit(self._own, text)
            self._waiting.append(work)
        if not self._waiting:
            return b""
        words = self._waiting.popleft().result()
        self._n_tokens += len(words.split())
        self.tokens_per_second = self._n_tokens / max(time.monotonic() - self._started, 1e-9)
        return words

    def _own(self, text: bytes) -> bytes:
        assert self._reader is not None  # noqa: S101 (for the type checker)
        return self._reader.separated(text.decode()).encode()


def lines_of(stream: io.BufferedReader, n_bytes: int) -> bytes:
    """The next lines, of about so many bytes; b"" at the end."""
    lines = stream.read(n_bytes)
    return lines + stream.readline(MAX_RECORD_BYTES) if lines else b""


def _start(spec: TextSpec, resources: Resources) -> None:
    global _reader  # noqa: PLW0603 (what a process of the pool works with)
    end_with_parent()
    _reader = TextReader(spec, resources)


def _separated(text: bytes) -> bytes:
    assert _reader is not None  # noqa: S101 (for the type checker)
    return _reader.separated(text.decode()).encode()
