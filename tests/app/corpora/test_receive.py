"""Bodies of every kind -> text in storage, or a clear refusal and nothing left."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import (
    BadCompression,
    CorpusEmpty,
    CorpusNotText,
    CorpusTooLarge,
    UnsupportedEncoding,
    WordkinError,
)
from app.core.storage import Storage
from app.corpora.decode import InvalidUtf8, TextDecoder
from app.corpora.receive import TextReceiver
from app.web.decompress import MAX_EMPTY_PARTS, SLICE_BYTES, decoder_for

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "왕은 궁전에 산다.\nThe king lives in the palace.\n\n  ㅋㅋㅋ last line without an end".encode()


class Memory:
    """Stands where an `ObjectWriter` stands."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def receive(
    body: bytes,
    encoding: str = "identity",
    *,
    text: str = "utf-8",
    invalid_utf8: InvalidUtf8 = "reject",
    max_bytes: int = 1 << 30,
    piece: int = 7,
) -> tuple[TextReceiver, bytes]:
    memory = Memory()
    receiver = TextReceiver(
        memory,  # type: ignore[arg-type] # only write() is used
        decoder_for(encoding),
        text=TextDecoder(text, invalid_utf8),
        max_bytes=max_bytes,
        max_ratio=200.0,
    )
    for start in range(0, len(body), piece):
        receiver.feed(body[start : start + piece])
    receiver.finish()
    return receiver, memory.data


def compress(encoding: str, data: bytes) -> bytes:
    return {"identity": lambda: data, "gzip": lambda: gzip.compress(data), "zstd": lambda: zstd.compress(data)}[
        encoding
    ]()


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_text_arrives_whole_and_counted(encoding: str, piece: int) -> None:
    receiver, stored = receive(compress(encoding, TEXT), encoding, piece=piece)
    assert stored == TEXT
    assert receiver.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert (receiver.n_bytes, receiver.n_lines, receiver.n_words) == (len(TEXT), 4, len(TEXT.split()))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_are_one_text(encoding: str) -> None:
    _, stored = receive(compress(encoding, b"one ") + compress(encoding, b"two"), encoding)
    assert stored == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("kept", [1, 10, -9, -1])
def test_truncated_compression_is_refused(encoding: str, kept: int) -> None:
    with pytest.raises(BadCompression):
        receive(compress(encoding, TEXT)[:kept], encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_damaged_compression_is_refused(encoding: str) -> None:
    body = bytearray(compress(encoding, TEXT * 10))
    body[len(body) // 2] ^= 0xFF
    body[-6] ^= 0xFF
    with pytest.raises(BadCompression):
        receive(bytes(body), encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_stopped_by_its_ratio(encoding: str) -> None:
    bomb = compress(encoding, b"a " * (60 << 20))
    with pytest.raises(BadCompression, match="expands more than 200 times"):
        receive(bomb, encoding, piece=1 << 16)


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_size_is_limited_after_decompression(encoding: str) -> None:
    receiver, _ = receive(compress(encoding, TEXT), encoding, max_bytes=len(TEXT))
    assert receiver.n_bytes == len(TEXT)
    with pytest.raises(CorpusTooLarge) as caught:
        receive(compress(encoding, TEXT), encoding, max_bytes=len(TEXT) - 1)
    assert caught.value.members == {"limit_bytes": len(TEXT) - 1}


@pytest.mark.parametrize("body", [b"", b"\n \t\r\n\n", b"\x00\x01 \n"])
def test_text_without_words_is_empty(body: bytes) -> None:
    with pytest.raises(CorpusEmpty):
        receive(body)


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"good \xff bad", 5),
        ("왕".encode()[:2], 0),
        ("한글 ".encode() + b"\xed\xa0\x80", 7),
        (b"\xc0\xaf", 0),
        (b"ok \xe2\x28", 3),
    ],
)
def test_invalid_utf8_is_refused_with_its_offset(body: bytes, offset: int, piece: int) -> None:
    with pytest.raises(CorpusNotText) as caught:
        receive(body, piece=piece)
    assert caught.value.members == {"offset": offset}


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_invalid_utf8_is_replaced_when_asked(piece: int) -> None:
    body = b"good \xff bad " + "왕".encode()[:2]
    _, stored = receive(body, invalid_utf8="replace", piece=piece)
    assert stored == body.decode(errors="replace").encode()


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "zip"])
def test_other_encodings_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding) as caught:
        decoder_for(encoding)
    assert caught.value.members == {"encoding": encoding}


@given(text=st.text(min_size=1), piece=st.integers(1, 9), encoding=st.sampled_from(["identity", "gzip", "zstd"]))
def test_any_text_is_stored_as_it_is(text: str, piece: int, encoding: str) -> None:
    data = text.encode(errors="surrogatepass")
    words = sum(1 for word in bytes(b if b > 0x20 else 0x20 for b in data).split(b" ") if word)
    try:
        receiver, stored = receive(compress(encoding, data), encoding, piece=piece)
    except CorpusEmpty:
        assert words == 0
    except CorpusNotText:
        assert data.count(0) * 20 > len(data) or any(0xD800 <= ord(character) <= 0xDFFF for character in text)
    else:
        assert stored == data
        assert receiver.n_words == words


def test_an_aborted_object_does_not_exist(storage: Storage, tmp_path: Path) -> None:
    class Stop(WordkinError):
        """Stop."""

    def abort() -> None:
        with storage.writer("corpora/x") as writer:
            writer.write(b"x" * (20 << 20))
            raise Stop

    with pytest.raises(Stop):
        abort()
    assert not storage.exists("corpora/x")
    assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_frames_without_text_are_not_decoded_for_ever(name: str) -> None:
    empty = {"gzip": gzip.compress(b""), "zstd": zstd.compress(b"")}[name]
    text = {"gzip": gzip.compress(TEXT), "zstd": zstd.compress(TEXT)}[name]
    assert b"".join(decoder_for(name).decode(empty * MAX_EMPTY_PARTS + text)) == TEXT
    with pytest.raises(BadCompression, match="more than 1000 empty"):
        list(decoder_for(name).decode(empty * (MAX_EMPTY_PARTS + 1) + text))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_the_rest_of_a_body_is_not_copied_for_every_frame(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand tiny frames in one piece: what a frame is given is never more than a slice."""
    frame = {"gzip": gzip.compress(b"a"), "zstd": zstd.compress(b"a")}[name]
    decoder, sizes = decoder_for(name), []
    inner: Callable[[bytes], Iterator[bytes]] = decoder._decode  # type: ignore[attr-defined] # what is measured is inside

    def watched(data: bytes) -> Iterator[bytes]:
        sizes.append(len(data))
        return inner(data)

    monkeypatch.setattr(decoder, "_decode", watched)
    assert b"".join(decoder.decode(frame * 10_000)) == b"a" * 10_000
    assert max(sizes) == SLICE_BYTES
