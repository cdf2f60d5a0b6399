"""Members of a tar, by a reader that knows files and folders alone: no links, no long names, nothing is unpacked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.core.errors import VectorsUnreadable

BLOCK_BYTES = 512
MAX_HEADERS = 10_000
MAX_NOTE_BYTES = 1 << 16
MAGIC = b"ustar"
MAGIC_AT = 257
_FILE, _FOLDER, _NOTES = {b"0", b"\0"}, b"5", {b"x", b"g"}
_CHANGING = re.compile(rb"^[0-9]+ (path|linkpath|size|GNU\.sparse[^=]*)=", re.MULTILINE)
"""Notes that change what a header says; times and owners do not matter."""


class Member(NamedTuple):
    """A file in the tar: its name, and where its content is."""

    name: str
    start: int
    n_bytes: int


def members(file: BinaryIO) -> Iterator[Member]:
    """The files of a tar, in their order.

    Raises
    ------
    VectorsUnreadable
        With the byte: a damaged header, something that is neither file nor folder, or no end.
    """
    place = 0
    for _ in range(MAX_HEADERS):
        file.seek(place)
        header = file.read(BLOCK_BYTES)
        if len(header) < BLOCK_BYTES:
            raise VectorsUnreadable(f"Byte {place}: the tar was cut: it has no end.", byte=place)
        if not any(header):
            return
        n_bytes, kind = _size(header, place), header[156:157]
        place += BLOCK_BYTES
        if kind in _FILE:
            yield Member(_name(header), place, n_bytes)
        elif kind in _NOTES and n_bytes <= MAX_NOTE_BYTES and not _CHANGING.search(file.read(n_bytes)):
            pass
        elif kind != _FOLDER:
            raise VectorsUnreadable(
                f"Byte {place - BLOCK_BYTES}: {_name(header)[:80]!r} is neither a file nor a folder of the tar, or its "
                "name is too long.",
                byte=place - BLOCK_BYTES,
            )
        place += n_bytes + -n_bytes % BLOCK_BYTES
    raise VectorsUnreadable(f"Byte {place}: the tar has more than {MAX_HEADERS} members.", byte=place)


def _name(header: bytes) -> str:
    name, prefix = (field.split(b"\0", 1)[0].decode(errors="replace") for field in (header[:100], header[345:500]))
    return f"{prefix}/{name}".removeprefix("/").removeprefix("./")


def _size(header: bytes, place: int) -> int:
    """The bytes of the member, when the header has been verified by its sum."""
    digits = header[148:156].strip(b" \0")
    total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    size = header[124:136]
    if header[MAGIC_AT : MAGIC_AT + 5] == MAGIC and _is_octal(digits) and int(digits, 8) == total:
        if size[0] == 0x80:
            return int.from_bytes(size[1:], "big")
        if _is_octal(size.strip(b" \0")):
            return int(size.strip(b" \0"), 8)
    raise VectorsUnreadable(f"Byte {place}: a header of a tar should begin there, and is damaged.", byte=place)


def _is_octal(digits: bytes) -> bool:
    return bool(re.fullmatch(rb"[0-7]{1,12}", digits))
