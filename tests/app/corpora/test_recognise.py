"""What is no text is known by its first bytes, named, and stored by no means."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile

import pytest

from app.core.errors import CorpusNotText
from app.corpora.recognise import HEAD_BYTES, check_is_text
from tests.app.corpora.test_receive import receive
from tests.conftest import DATA

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "the quick fox\njumps over dogs\n" * 20


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), TEXT)
    return packed.getvalue()


BODIES = {
    "gzip": (gzip.compress(TEXT.encode()), "Content-Encoding: gzip"),
    "zstd": (zstd.compress(TEXT.encode()), "Content-Encoding: zstd"),
    "bzip2": (bz2.compress(TEXT.encode()), "unpack"),
    "xz": (lzma.compress(TEXT.encode()), "unpack"),
    "zip": (zipped("corpus.txt"), "unpack"),
    "xlsx, or another office document": (zipped("[Content_Types].xml", "xl/workbook.xml"), "CSV"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "pdftotext"),
    "an old office document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest", "CSV"),
    "utf-16": (TEXT.encode("utf-16"), "encoding=utf-16"),
    "utf-32": (TEXT.encode("utf-32"), "encoding=utf-32"),
    **{name: (TEXT.encode(name), f"encoding={name}") for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")},
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("asked", [{}, {"invalid_utf8": "replace"}, {"text": "latin-1"}], ids=str)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_what_is_no_text_is_named(name: str, asked: dict[str, str], piece: int) -> None:
    body, advice = BODIES[name]
    with pytest.raises(CorpusNotText) as caught:
        receive(body, piece=piece, **asked)  # type: ignore[arg-type] # of mixed types
    assert caught.value.members == {"kind": name}
    assert advice in caught.value.detail
    assert "replace" not in caught.value.detail


def test_a_zip_that_is_valid_utf8_is_refused_too() -> None:
    body = b"PK\x03\x04" + b"\x14" * 22 + b"\x05" + b"a.txt plain text"
    assert body.decode()
    with pytest.raises(CorpusNotText, match="looks like zip"):
        receive(body)


@pytest.mark.parametrize(("file", "kind"), [("F19-plain.txt.gz", "gzip"), ("F19-utf16le-no-bom.txt", "utf-16-le")])
def test_files_that_once_became_corpora(file: str, kind: str) -> None:
    with pytest.raises(CorpusNotText) as caught:
        receive((DATA / "faults" / file).read_bytes(), invalid_utf8="replace")
    assert caught.value.members == {"kind": kind}


def test_bytes_full_of_nuls_are_no_text() -> None:
    with pytest.raises(CorpusNotText, match="binary data, full of NUL bytes"):
        receive(b"header\x00\x00" + b"\xff\xdf\xff\xdf\x00\x00\x00\x00" * 100)


@pytest.mark.parametrize(
    "text", ["BZh is three letters", "PK fire", "%PDF is a format", "PAR2", "a\x00b and a long line of text"]
)
def test_text_that_only_looks_alike_is_text(text: str) -> None:
    check_is_text(text.encode(), "utf-8")
    assert receive(text.encode())[1] == text.encode()


def test_with_replacements_some_text_must_be_left() -> None:
    korean = ("영화가 정말 재미있었다\n" * 500).encode("cp949")
    with pytest.raises(CorpusNotText, match="no text would be left"):
        receive(korean, invalid_utf8="replace", piece=HEAD_BYTES + 1)
