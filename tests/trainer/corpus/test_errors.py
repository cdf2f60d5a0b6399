"""What is wrong with a corpus is said, with the figures that help."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from app.core.errors import (
    BadCompression,
    BadRecord,
    CorpusEmpty,
    CorpusNotText,
    VocabularyEmpty,
    VocabularyTooLarge,
    VocabularyTooSmall,
    WordkinError,
)
from app.core.text import JsonLines, TextSpec
from trainer.corpus import encode as corpus
from trainer.corpus.encode import EncodedCorpus, encode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = b"the king and the queen\n" * 20_000


def encoded(data: bytes, folder: Path, spec: TextSpec | None = None, min_count: int = 1) -> EncodedCorpus:
    source = folder / "source"
    source.write_bytes(data)
    return encode(source, folder, spec=spec or TextSpec(), min_count=min_count, threads=2)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0), zstd.compress(b"")])
def test_nothing_at_all(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorpusEmpty):
        encoded(data, tmp_path)


@pytest.mark.parametrize("data", [b" \n\t\x00", b"... !?\n", "❤\ufe0f".encode()])
def test_no_words(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(VocabularyEmpty, match="no words") as caught:
        encoded(data, tmp_path)
    assert caught.value.members["n_tokens"] == 0


def test_no_word_is_frequent_enough(tmp_path: Path) -> None:
    with pytest.raises(VocabularyEmpty, match="occurs 3 times") as caught:
        encoded(b"a b a c", tmp_path, min_count=3)
    assert caught.value.members == {"n_tokens": 4, "n_words": 0, "min_count": 3}


def test_a_single_word(tmp_path: Path) -> None:
    with pytest.raises(VocabularyTooSmall, match='"king"') as caught:
        encoded(b"king king\nKING queen", tmp_path, min_count=2)
    assert caught.value.members == {"n_tokens": 4, "n_words": 1, "min_count": 2}


def test_too_many_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MAX_WORDS", 3)
    assert len(encoded(b"a b c", tmp_path).vocabulary) == 3
    with pytest.raises(VocabularyTooLarge, match="the limit is 3") as caught:
        encoded(b"a b c d", tmp_path)
    assert caught.value.members["limit"] == 3


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (b"\xff\xfek\x00i\x00n\x00g\x00", 0),
        (b"king \xe9t\xe9", 5),
        (b"\xef\xbb\xbfking queen\xc3", 13),
        (b"king \xed\xa0\x80", 5),
        (b"king \xc0\x80", 5),
        (LINES * 5 + "왕".encode()[:2] + b" x", 5 * len(LINES)),
    ],
    ids=["utf-16", "latin-1", "cut-off", "surrogate", "overlong-form", "late"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_that_are_not_utf8_are_pointed_at(data: bytes, byte: int, pack: type[bytes], tmp_path: Path) -> None:
    with pytest.raises(CorpusNotText, match=f"byte {byte} ") as caught:
        encoded(pack(data), tmp_path)
    assert caught.value.members == {"byte": byte}


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_damaged_packing(pack: type[bytes], tmp_path: Path) -> None:
    whole = pack(LINES)
    damaged = bytearray(whole)
    damaged[len(damaged) // 2] ^= 0xFF
    for data in (whole[:-1], whole[: len(whole) // 2], whole[:12], bytes(damaged), whole + b"trailing"):
        with pytest.raises(BadCompression):
            encoded(data, tmp_path)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_several_members_are_one_text(pack: type[bytes], tmp_path: Path) -> None:
    found = encoded(pack(b"a b\n") + pack(b"") + pack(b"c a"), tmp_path)
    assert found.vocabulary.words() == ["a", "b", "c"]
    assert found.ids.tolist() == [0, 1, -1, 2, 0, -1]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"not json", BadRecord),
        (b'{"text": "a"', BadRecord),
        (b'["text"]', BadRecord),
        (b'"text"', BadRecord),
        (b'{"body": "a"}', BadRecord),
        (b'{"text": null}', BadRecord),
        (b'{"text": 5}', BadRecord),
        (b"[" * 100_000, BadRecord),
        (b'{"text": 1' + b"0" * 10_000 + b"}", BadRecord),
        (b'{"text": "\xff"}', CorpusNotText),
    ],
    ids=["text", "open", "list", "string", "other-field", "null", "number", "deep", "huge-number", "not-utf-8"],
)
def test_json_lines_without_text_are_named(record: bytes, expected: type[WordkinError], tmp_path: Path) -> None:
    spec = TextSpec(format=JsonLines(field="text"))
    with pytest.raises(expected) as caught:
        encoded(b'{"text": "a b"}\n\n' + record + b"\n", tmp_path, spec)
    if expected is BadRecord:
        assert caught.value.members["line"] == 3
        assert [row["line"] for row in caught.value.members["rows"]] == [3]
        assert caught.value.members["names"] == ["text", "body"][: 1 + (b"body" in record)]
        assert len(caught.value.detail) < 400


def test_json_may_hold_line_ends_and_half_surrogates(tmp_path: Path) -> None:
    spec = TextSpec(format=JsonLines(field="text"))
    found = encoded(b'{"text": "a b\\nc"}\n{"text": "\\ud800 a"}', tmp_path, spec)
    assert found.vocabulary.words() == ["a", "b", "c"]
    assert found.ids.tolist() == [0, 1, -1, 2, -1, 0, -1]
