"""A stream of text as blocks that are cut between types."""

from __future__ import annotations

import io
import threading
from typing import BinaryIO, NamedTuple

import numpy as np

from trainer.kernels.text.eights import PADDING_BYTES, cut_point, last_separator
from trainer.steps.arrays import Bytes

BLOCK_BYTES = 1 << 22
MAX_TYPE_BYTES = 1 << 20
"""A longer run without ASCII white space is cut between characters; it may hold many words all the same."""


class Block(NamedTuple):
    """``buffer[:end]``, the `number`-th block of the corpus."""

    number: int
    end: int


class BlockReader:
    """Hands out the blocks of a stream, in order, to any number of threads.

    Parameters
    ----------
    stream : the text
    file : where the stream comes from, which only tells how far the reading is
    block_bytes : at most this much a block; at least twice `max_type_bytes`, so that every block gets on
    max_type_bytes : longer runs without white space are cut
    """

    def __init__(self, stream: io.BufferedReader, file: BinaryIO, block_bytes: int, max_type_bytes: int) -> None:
        if block_bytes < 2 * max_type_bytes:
            raise ValueError("a block must hold two types of the greatest length")
        self.max_type_bytes = max_type_bytes
        self.file_position = 0
        self._stream = stream
        self._file = file
        self._block_bytes = block_bytes
        self._rest = b""
        self._n_blocks = 0
        self._lock = threading.Lock()

    def new_buffer(self) -> Bytes:
        return np.zeros(self._block_bytes + PADDING_BYTES, np.uint8)

    def read(self, buffer: Bytes) -> Block | None:
        """Fill the buffer with the next block; None at the end of the stream."""
        with self._lock:
            end = len(self._rest)
            buffer[:end] = np.frombuffer(self._rest, np.uint8)
            free = buffer.data[: self._block_bytes]
            n_read = -1
            while end < self._block_bytes and n_read:
                n_read = self._stream.readinto1(free[end:])
                end += n_read
                self.file_position = self._file.tell()  # a block may take long, where its words are made
            if not end:
                return None
            cut = end if not n_read else self._cut(buffer, end)
            self._rest = buffer[cut:end].tobytes()
            self._n_blocks += 1
            return Block(self._n_blocks - 1, cut)

    def _cut(self, buffer: Bytes, end: int) -> int:
        cut = int(last_separator(buffer, end)) + 1
        if cut:
            return cut
        # One type from end to end: cut where the scan of the block would cut it.
        while cut + self.max_type_bytes < end:
            cut = int(cut_point(buffer, cut, self.max_type_bytes))
        return cut
