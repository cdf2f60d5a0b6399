"""The file that a user names: how it is packed, what its beginning says, and what it may be called."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from app.command.failures import WrongUsage
from app.core.errors import BadRecord, ExtraMissing
from app.core.magic import GZIP, PARQUET, ZSTD
from app.core.names import Name, composed
from app.core.text import JsonLines, Parquet, TextSpec
from app.core.text.parquet import ParquetRows
from app.core.text.rows import LineRows
from app.core.text.sample import SAMPLE_BYTES, read_parquet_sample, read_sample

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED = {GZIP: "gzip", ZSTD: "zstd"}
PACKED_SUFFIXES = {".gz": "gzip", ".zst": "zstd"}
KINDS = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
CALLED = {
    "plain": "plain lines",
    "jsonl": "JSON Lines",
    "csv": "CSV",
    "tsv": "TSV",
    "tokens": "baskets of items",
    "parquet": "Parquet",
}
TEXT_SUFFIXES = {".txt", ".text", ".json", *KINDS}
MAX_NAME = 100
FIELD_BYTES = 1 << 16
"""What is read for each field to see whether it holds text."""
USUAL_FIELD = "text"

_names: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class TextFile:
    """A file whose beginning has been read; `head` is UTF-8 text, as far as it can be decoded."""

    path: Path
    content_encoding: str
    head: bytes = field(repr=False)
    is_whole: bool

    @classmethod
    def open(cls, path: Path, encoding: str) -> TextFile:
        """Raise `WrongUsage` for what is not packed as its name says, or for an encoding that does not exist."""
        packed = packing_of(path)
        try:
            with unpacked(path) as stream:
                head: bytes = stream.read(SAMPLE_BYTES)
                is_whole = not stream.read(1)
        except (gzip.BadGzipFile, EOFError, zlib.error, zstd.ZstdError) as error:
            raise WrongUsage(f"{path.name} is damaged: {error}") from error
        try:
            text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
        except LookupError as error:
            raise WrongUsage(f"--encoding {encoding}: there is no such encoding") from error
        return cls(path, packed, text.encode() if encoding != "utf-8" else head, is_whole)

    @property
    def kind(self) -> str:
        """Which format it has, by its name and else by its first line."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes if suffix.lower() not in PACKED_SUFFIXES]
        start = self.head.removeprefix(codecs.BOM_UTF8).lstrip()
        if start.startswith(b"[") and suffixes[-1:] == [".json"]:
            raise WrongUsage(f"{self.path.name} is one JSON array; make JSON Lines: jq -c '.[]' FILE > FILE.jsonl")
        if self.is_parquet:
            return "parquet"
        by_name = KINDS.get(suffixes[-1]) if suffixes else None
        return by_name or ("jsonl" if self._first_rows_are_objects else "plain")

    @property
    def is_parquet(self) -> bool:
        return self.head.startswith(PARQUET)

    def _parquet_names(self) -> list[str]:
        with self.path.open("rb") as file:
            rows = ParquetRows(Parquet(column=" "), file)
            with suppress(BadRecord):  # there is no such column, which tells those that there are
                next(iter(rows))
        return rows.names

    @property
    def _first_rows_are_objects(self) -> bool:
        rows = LineRows(JsonLines(field=USUAL_FIELD), io.BytesIO(self.head.split(b"\n", 1)[0]).readline)
        try:
            return bool(list(rows) or rows.names)
        except (UnicodeDecodeError, BadRecord):
            return False

    def fields(self, kind: str) -> list[str]:
        """The names of the fields or columns that hold text."""
        return list(self._with_text(kind))

    def _with_text(self, kind: str) -> Iterator[str]:
        for name in self._named(kind):
            try:
                self.check(TextSpec.model_validate({"format": format_of(kind, name)}), FIELD_BYTES)
            except (WrongUsage, ValidationError):
                continue
            yield name

    def _named(self, kind: str) -> list[str]:
        if self.is_parquet:
            return self._parquet_names()
        rows = LineRows(
            TextSpec.model_validate({"format": format_of(kind, "1")}).format,  # type: ignore[arg-type] # one of rows
            io.BytesIO(self.head).readline,
        )
        for _ in zip(range(100), rows, strict=False):
            pass
        return rows.names

    def check(self, spec: TextSpec, n_bytes: int = SAMPLE_BYTES) -> None:
        """Raise `WrongUsage` where the beginning has no words, or too few rows have text."""
        head = self.head[:n_bytes]
        try:
            if self.is_parquet and isinstance(spec.format, Parquet):
                with self.path.open("rb") as file:
                    read_parquet_sample(file, spec)
                return
            read_sample(head, spec, is_whole=self.is_whole and len(head) == len(self.head))
        except (BadRecord, ExtraMissing) as error:
            raise WrongUsage(f"{self.path.name}: {error}") from error
        except UnicodeDecodeError:
            return  # the service names what it is


def packing_of(path: Path) -> str:
    """The content encoding of a file by its first bytes; raises `WrongUsage` if its name says another one."""
    with path.open("rb") as file:
        first = file.read(4)
    packed = next((name for magic, name in PACKED.items() if first.startswith(magic)), "identity")
    named = PACKED_SUFFIXES.get(path.suffix.lower(), packed)
    if named != packed and first:
        raise WrongUsage(f"{path.name} is not {named} by its first bytes; name it by what it is.")
    return packed


def unpacked(path: Path) -> IO[bytes]:
    """The file's content as a stream."""
    opener: Callable[..., IO[bytes]] = {"gzip": gzip.open, "zstd": zstd.open}.get(packing_of(path), io.open)  # type: ignore[assignment] # of three signatures
    return opener(path, "rb")


def format_of(kind: str, name: str | None) -> dict[str, Any]:
    """The member `format` of a job's text."""
    member = {"jsonl": "field", "csv": "column", "tsv": "column", "parquet": "column", "tokens": "separator"}.get(kind)
    return {"kind": kind, **({member: name} if member and name else {})}


def name_for(path: Path, choose: str = "--model NAME") -> str:
    """A name for what is made of a file: what no name may hold becomes a hyphen.

    Raises
    ------
    WrongUsage
        Nothing is left; says with what to `choose` a name.
    """
    stem = composed(path.name)
    while (suffix := Path(stem).suffix.lower()) in TEXT_SUFFIXES | PACKED_SUFFIXES.keys():
        stem = stem[: -len(suffix)]
    kept = "".join(character if is_name(f"a{character}") else " " for character in stem)
    name = re.sub("-{2,}", "-", "-".join(kept.split()))[:MAX_NAME].strip("-.")
    while name and not is_name(name):
        name = name[1:]
    if not name:
        raise WrongUsage(f"{path.name!r} gives no name; choose one with {choose}.")
    return name


def named(option: str, name: str) -> str:
    """The name that was given with an option, or `WrongUsage`."""
    if not is_name(name):
        raise WrongUsage(f"{option} {name!r}: a name has letters of any script, digits, _ . and -, and no other first.")
    return name


def is_name(name: str) -> bool:
    try:
        _names.validate_python(name)
    except ValidationError:
        return False
    return True
