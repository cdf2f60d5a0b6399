"""How a file looks, by its name and its first bytes."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from app.command.failures import WrongUsage
from app.command.text_file import TextFile, name_for

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OBJECTS = "".join(json.dumps({"id": i, "title": f"blue lamp {i}", "brand": "acme"}) + "\n" for i in range(9)).encode()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("bible.txt", "bible"),
        (".env", "env"),
        ("a#b.txt", "a-b"),
        ("my corpus (1).txt", "my-corpus-1"),
        ("c++.txt", "c"),
        ("100%.txt", "100"),
        ("X.TXT.GZ", "X"),
        ("한국어 위키.txt", "한국어-위키"),
        ("e\N{COMBINING ACUTE ACCENT}.txt", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("shop.2024.jsonl.zst", "shop.2024"),
        ("a - b.txt", "a-b"),
        ("n" * 200 + ".txt", "n" * 100),
    ],
)
def test_any_file_name_gives_a_name(file: str, name: str) -> None:
    assert name_for(Path(file)) == name


def test_a_file_name_that_gives_none_asks_for_one() -> None:
    with pytest.raises(WrongUsage, match="choose one with --model NAME"):
        name_for(Path("%%%.txt"))
    with pytest.raises(WrongUsage, match="--name NAME"):
        name_for(Path("%%%.txt"), "--name NAME")


@pytest.mark.parametrize(
    ("name", "content", "packed", "kind"),
    [
        ("a.txt", b"one\ntwo\n", "identity", "plain"),
        ("X.TXT.GZ", gzip.compress(b"one\n", mtime=0), "gzip", "plain"),
        ("x.jsonl.ZST", zstd.compress(OBJECTS), "zstd", "jsonl"),
        ("packed", gzip.compress(OBJECTS, mtime=0), "gzip", "jsonl"),
        ("a.txt", OBJECTS, "identity", "jsonl"),
        ("a.txt", b'{ "not": json\n', "identity", "plain"),
        ("a.CSV", b"a,b\n1,2\n", "identity", "csv"),
        ("empty.gz", b"", "identity", "plain"),
    ],
)
def test_packing_and_format_are_seen(tmp_path: Path, name: str, content: bytes, packed: str, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    file = TextFile.open(tmp_path / name, "utf-8")
    assert (file.content_encoding, file.kind) == (packed, kind)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.gz", b"plain text", "not gzip by its first bytes"),
        ("a.txt.gz", gzip.compress(OBJECTS, mtime=0)[:40], "damaged"),
        ("a.json", b'[{"title": "a"}]', "JSON array"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongUsage, match=told):
        assert TextFile.open(tmp_path / name, "utf-8").kind


def test_fields_that_hold_text_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(OBJECTS)
    assert TextFile.open(tmp_path / "a.jsonl", "utf-8").fields("jsonl") == ["title", "brand"]
    (tmp_path / "a.csv").write_bytes("번호,제목\n1,파란 등\n".encode("cp949"))
    assert TextFile.open(tmp_path / "a.csv", "cp949").fields("csv") == ["번호", "제목"]
