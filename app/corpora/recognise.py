"""What a body is that is no text: known by its first bytes and named, with what to do."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from app.core.errors import CorpusNotText
from app.core.magic import GZIP, XZ, ZIP, ZSTD

HEAD_BYTES = 4096
"""What is looked at."""

_UNPACK = "unpack it and send the text, plain or as gzip or zstd"
_OFFICE = "save it as CSV or as plain text, and send that"


class _Kind(NamedTuple):
    magic: bytes
    name: str
    advice: str

    @property
    def is_wide(self) -> bool:
        """Whether text of wide characters has this form; where it has not, its decoding fails."""
        return self.magic == b"" or self.name.startswith("utf-")


_KINDS = (
    _Kind(GZIP, "gzip", "add -H 'Content-Encoding: gzip'"),
    _Kind(ZSTD, "zstd", "add -H 'Content-Encoding: zstd'"),
    _Kind(b"BZh", "bzip2", _UNPACK),
    _Kind(XZ, "xz", _UNPACK),
    _Kind(b"7z\xbc\xaf\x27\x1c", "7z", _UNPACK),
    _Kind(ZIP, "zip", _UNPACK),
    _Kind(b"PK\x05\x06", "zip", _UNPACK),
    _Kind(b"%PDF-", "pdf", "extract its text (pdftotext), and send that"),
    _Kind(b"\xd0\xcf\x11\xe0", "an old office document", _OFFICE),
    _Kind(codecs.BOM_UTF32_LE, "utf-32", "add ?encoding=utf-32"),
    _Kind(codecs.BOM_UTF32_BE, "utf-32", "add ?encoding=utf-32"),
    _Kind(codecs.BOM_UTF16_LE, "utf-16", "add ?encoding=utf-16"),
    _Kind(codecs.BOM_UTF16_BE, "utf-16", "add ?encoding=utf-16"),
)
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def check_is_text(head: bytes, encoding: str) -> None:
    """Raise `CorpusNotText` with what these first bytes are, unless they may be text in the encoding."""
    kind = _kind(head) or _full_of_nuls(head)
    if kind and not (kind.is_wide and encoding.startswith(("utf-16", "utf-32"))):
        raise CorpusNotText(f"The body looks like {kind.name}: {kind.advice}.", kind=kind.name)


def _kind(head: bytes) -> _Kind | None:
    for kind in _KINDS:
        if not head.startswith(kind.magic):
            continue
        if kind.name == "bzip2" and head[4:10] not in _BZIP2_BLOCKS:
            return None
        if kind.name == "zip" and (b"[Content_Types].xml" in head or b"xl/" in head):
            return _Kind(kind.magic, "xlsx, or another office document", _OFFICE)
        return kind
    return None


def _full_of_nuls(head: bytes) -> _Kind | None:
    """Text of wide characters without a mark at its start, or no text at all."""
    n_nuls = head.count(0)
    if n_nuls * 20 <= len(head) or not any(byte > 0x20 for byte in head):
        return None
    width = 4 if n_nuls * 2 > len(head) else 2
    order = "le" if head[1::2].count(0) >= head[::2].count(0) else "be"
    name = f"utf-{8 * width}-{order}"
    try:
        codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return _Kind(b"", "binary data, full of NUL bytes", "send text")
    return _Kind(b"", name, f"add ?encoding={name}")
