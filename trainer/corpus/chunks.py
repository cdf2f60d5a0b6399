"""A stream of bytes that are made piece by piece."""

from __future__ import annotations

import io

from typing_extensions import Buffer


class Chunks(io.RawIOBase):
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
