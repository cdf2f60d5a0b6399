"""Text in any encoding is stored as UTF-8, or refused at the byte where it is not in that encoding."""

from __future__ import annotations

import hashlib

import pytest

from app.core.errors import CorpusNotText, InvalidRequest
from app.corpora.decode import TextDecoder, known_encoding
from tests.app.corpora.test_receive import receive

KOREAN, JAPANESE, FRENCH = "왕은 궁전에 산다\nㅋㅋ 재미 있다\n", "王は宮殿に住む\nカタカナ\n", "le café d'été\nça\n"
TEXTS = {
    "cp949": KOREAN,
    "euc-kr": KOREAN,
    "johab": KOREAN,
    "utf-16": KOREAN,
    "utf-16-le": KOREAN,
    "utf-32-be": KOREAN,
    "utf-8-sig": KOREAN,
    "UTF8": KOREAN,
    "utf-7": KOREAN,
    "iso2022_kr": KOREAN,
    "shift_jis": JAPANESE,
    "iso-2022-jp": JAPANESE,
    "gb18030": JAPANESE + KOREAN,
    "big5": "王在宮殿\n",
    "latin-1": FRENCH,
    "ISO-8859-15": FRENCH,
    "windows-1252": FRENCH,
    "koi8-r": "король живёт\n",
    "cp037": "ebcdic text\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_text_is_stored_as_utf8(encoding: str, piece: int) -> None:
    text = TEXTS[encoding] * 400
    receiver, stored = receive(text.encode(encoding), text=encoding, piece=piece)
    assert stored.decode() == text
    assert receiver.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (receiver.n_bytes, receiver.n_lines) == (len(text.encode()), text.count("\n"))


def test_a_mark_at_the_start_is_no_text() -> None:
    assert receive(("\ufeff" + KOREAN).encode("utf-16-le"), text="utf-16-le")[1].decode() == KOREAN


@pytest.mark.parametrize("piece", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    ("encoding", "body", "offset"),
    [
        ("cp949", KOREAN.encode("cp949") + b"\xff\xff", 32),
        ("cp949", "왕".encode("cp949")[:1], 0),
        ("ascii", b"caf\xe9", 3),
        ("utf-16-le", "ab".encode("utf-16-le") + b"\x00\xdc", 4),
        ("shift_jis", b"ok \x81\x20", 3),
    ],
)
def test_a_wrong_byte_is_named_with_the_encoding(encoding: str, body: bytes, offset: int, piece: int) -> None:
    with pytest.raises(CorpusNotText, match=f"Byte {offset} is not valid {encoding.upper()}") as caught:
        receive(body, text=encoding, piece=piece)
    assert caught.value.members["offset"] == offset


@pytest.mark.parametrize("piece", [1 << 12, 1 << 20])
def test_korean_of_windows_gets_its_encoding_named(piece: int) -> None:
    body = ("plain ascii first\n" * 1000 + KOREAN).encode("cp949")
    with pytest.raises(CorpusNotText, match="encoding=cp949") as caught:
        receive(body, piece=piece)
    assert caught.value.members == {"suggestion": "cp949", "offset": 18_000}


@pytest.mark.parametrize("text", [FRENCH, "naïve œuvre ”quoted”"])
def test_other_text_is_not_taken_for_korean(text: str) -> None:
    with pytest.raises(CorpusNotText) as caught:
        receive(text.encode("cp1252"))
    assert "suggestion" not in caught.value.members
    assert "?encoding=" in caught.value.detail


@pytest.mark.parametrize(
    ("name", "near"), [("cp94", "cp949"), ("euckrr", "euckr"), ("latin-11", "latin-1"), ("utf-166", "utf-16")]
)
def test_an_unknown_encoding_gets_near_names(name: str, near: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        known_encoding(name)
    assert near in caught.value.members["suggestions"]


@pytest.mark.parametrize(
    "name", ["base64", "hex", "zip", "bz2", "rot13", "uu", "quopri", "idna", "punycode", "unicode_escape", "aliases",
             "undefined", "", "os", "../x", "a" * 1000]
)  # fmt: skip
def test_what_encodes_no_text_is_no_encoding(name: str) -> None:
    with pytest.raises(InvalidRequest):
        known_encoding(name)


def test_only_utf8_is_replaced() -> None:
    with pytest.raises(InvalidRequest, match="for UTF-8"):
        TextDecoder("cp949", "replace")
