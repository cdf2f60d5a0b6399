"""A file that somebody else's library writes, taken away piece by piece."""

from __future__ import annotations

import io


class Pieces(io.RawIOBase):
    """Holds what was written until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        n_before = len(self._held)
        self._held += content  # type: ignore[arg-type] # any bytes
        return len(self._held) - n_before

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
