"""Sizes and SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PIECE_BYTES = 4 << 20


class FileDigest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    n_bytes: int
    sha256: str


def digest_files(folder: Path) -> dict[str, FileDigest]:
    """Size and SHA-256 of every file that is in the folder before the manifest."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: digest_of(folder / name) for name in names}


def digest_of(path: Path) -> FileDigest:
    """In large pieces: between any two, a thread that computes may keep this one waiting for the interpreter."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES))
    with path.open("rb", buffering=0) as file:
        while n_bytes := file.readinto(piece):
            digest.update(piece[:n_bytes])
        return FileDigest(n_bytes=file.tell(), sha256=digest.hexdigest())
