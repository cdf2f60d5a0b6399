"""A tar whose bytes depend on its members alone: no times, no owners."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """A file: its name, how many bytes it has, and these."""

    name: str
    n_bytes: int
    content: Iterable[bytes]

    @classmethod
    def of(cls, name: str, content: bytes) -> Member:
        return cls(name, len(content), [content])

    @property
    def head(self) -> bytes:
        described = tarfile.TarInfo(self.name)  # of time 0 and user 0
        described.size = self.n_bytes
        return described.tobuf(tarfile.PAX_FORMAT)

    @property
    def padding(self) -> bytes:
        return bytes(-self.n_bytes % tarfile.BLOCKSIZE)


END = bytes(2 * tarfile.BLOCKSIZE)


def tar_of(members: Iterable[Member]) -> Iterator[bytes]:
    """The tar, piece by piece."""
    for member in members:
        yield member.head
        yield from member.content
        yield member.padding
    yield END


def size_of(members: Iterable[Member]) -> int:
    """How many bytes the tar has."""
    return sum(len(member.head) + member.n_bytes + len(member.padding) for member in members) + len(END)
