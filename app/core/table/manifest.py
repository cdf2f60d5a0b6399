"""What a version's folder holds and where it came from: ``manifest.json``, written last."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import TableDamaged
from app.core.text import TextSpec

FORMAT_VERSION = 1
TABLE_FILE = "table.safetensors"
INDEX_FILE = "index.faiss"
MANIFEST_FILE = "manifest.json"

PIECE_BYTES = 4 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileDigest(_Part):
    n_bytes: int
    sha256: str


class GraphSearch(_Part):
    """With how much effort a graph is searched, and what was measured with it."""

    ef_search: int
    recall_at_10: float
    query_milliseconds: float


class IndexDescription(_Part):
    """How the index was chosen: what it is, how it searches, and what was measured.

    `flat` scans the table itself and has no file of its own. What is measured is for words; sums of words lie farther
    from all words, need more effort, and are scanned for if `sums` is None.
    """

    kind: Literal["flat", "hnsw"]
    parameters: dict[str, int | float | str] = {}
    recall_at_10: float
    build_seconds: float
    query_milliseconds: float
    sums: GraphSearch | None = None


class CorpusOrigin(_Part):
    name: str
    sha256: str
    n_bytes: int
    n_tokens: int
    n_lines: int


class Manifest(_Part):
    """What the folder holds and where it came from; written last."""

    format_version: Literal[1]
    files: dict[str, FileDigest]
    n_words: int
    dim: int
    algorithm: str
    hyperparameters: dict[str, Any]
    text: TextSpec
    corpus: CorpusOrigin
    index: IndexDescription
    metrics: dict[str, Any]
    training: dict[str, Any]
    code_version: str
    created_at: datetime


def digest_files(folder: Path) -> dict[str, FileDigest]:
    """Size and SHA-256 of the files that a manifest must list."""
    return {name: digest_of(folder / name) for name in (TABLE_FILE, INDEX_FILE) if (folder / name).exists()}


def write_manifest(folder: Path, manifest: Manifest) -> bytes:
    """Write ``manifest.json`` and return its bytes."""
    content = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / MANIFEST_FILE).write_bytes(content)
    return content


def read_manifest(folder: Path, sha256: str | None = None) -> Manifest:
    """Read ``manifest.json``, verified if its digest is given, or raise `TableDamaged`."""
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise TableDamaged(f"{MANIFEST_FILE} does not have the digest it was published with.")
        manifest = Manifest.model_validate_json(content)
    except (OSError, ValidationError) as error:
        raise TableDamaged(f"{MANIFEST_FILE} cannot be read: {error}") from error
    wanted = {TABLE_FILE} if manifest.index.kind == "flat" else {TABLE_FILE, INDEX_FILE}
    if set(manifest.files) != wanted:
        raise TableDamaged(f"{MANIFEST_FILE} must list {sorted(wanted)}, not {sorted(manifest.files)}.")
    return manifest


def digest_of(path: Path) -> FileDigest:
    """In large pieces: between any two, a thread that computes may keep this one waiting for the interpreter."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES))
    with path.open("rb", buffering=0) as file:
        while n_bytes := file.readinto(piece):
            digest.update(piece[:n_bytes])
        return FileDigest(n_bytes=file.tell(), sha256=digest.hexdigest())
