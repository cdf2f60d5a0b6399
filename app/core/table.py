"""The published table: a folder of ``table.safetensors``, ``manifest.json`` and, where one pays, ``index.faiss``.

Written once by the trainer, opened read-only by memory map, shared between processes, verified by digest. Nothing in
it can execute code.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.numpy import save_file

from app.core.errors import TableDamaged
from app.core.lookup import WordLookup
from app.core.text import TextSpec
from app.core.vocabulary import Vocabulary

FORMAT_VERSION = 1
TABLE_FILE = "table.safetensors"
INDEX_FILE = "index.faiss"
MANIFEST_FILE = "manifest.json"

PIECE_BYTES = 4 << 20
MAX_HEADER_BYTES = 1 << 20
_DTYPES = {"F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8}

FloatArray = npt.NDArray[np.float32]


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


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The exact nearest neighbours of the most frequent words.

    Parameters
    ----------
    ids : int32 (n_covered, k), neighbours of word ``i`` in row ``i``, nearest first, ties by id; the word itself is not
        among them
    scores : float32 (n_covered, k), their cosines
    """

    ids: npt.NDArray[np.int32]
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class Contents:
    """The arrays of ``table.safetensors``.

    Parameters
    ----------
    vocabulary : the words
    unit_vectors : float32 (n_words, dim), C-contiguous, each of length 1
    norms : float32 (n_words,), lengths before normalisation
    neighbors : Neighbors
    word_slots : int32, a power of two; see `app.core.lookup`
    word_order : int32 (n_words,), ids in the order of the words' bytes
    text_component : float32 (dim,), what text vectors have in common and is taken out of them
    """

    vocabulary: Vocabulary
    unit_vectors: FloatArray
    norms: FloatArray
    neighbors: Neighbors
    word_slots: npt.NDArray[np.int32]
    word_order: npt.NDArray[np.int32]
    text_component: FloatArray


@dataclass(frozen=True, eq=False)
class Table(Contents):
    """An open table: memory-mapped, read-only contents, where they lie and what they say of themselves."""

    folder: Path
    manifest: Manifest

    @cached_property
    def lookup(self) -> WordLookup:
        return WordLookup(self.vocabulary, self.word_slots, self.word_order)

    def vector(self, word_id: int) -> FloatArray:
        """The vector as trained, float32 (dim,)."""
        vector: FloatArray = self.unit_vectors[word_id] * self.norms[word_id]
        return vector

    @property
    def index_file(self) -> Path:
        return self.folder / INDEX_FILE

    @property
    def n_bytes(self) -> int:
        return sum(file.n_bytes for file in self.manifest.files.values())


def normalise(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return float32 unit vectors (n_words, dim) and norms (n_words,); lengths are taken in float64."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    unit = vectors / norms[:, None]
    return unit.astype(np.float32), norms.astype(np.float32)


def write_table(folder: Path, contents: Contents) -> None:
    """Write ``table.safetensors``; the index and the manifest come after it."""
    vocabulary, neighbors = contents.vocabulary, contents.neighbors
    arrays = {
        "unit_vectors": contents.unit_vectors,
        "norms": contents.norms,
        "counts": vocabulary.counts,
        "word_bytes": vocabulary.word_bytes,
        "word_offsets": vocabulary.word_offsets,
        "neighbor_ids": neighbors.ids,
        "neighbor_scores": neighbors.scores,
        "word_slots": contents.word_slots,
        "word_order": contents.word_order,
        "text_component": contents.text_component,
    }
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / TABLE_FILE)
    (folder / TABLE_FILE).chmod(0o644)  # the library keeps files to their owner, but others serve this one


def digest_files(folder: Path) -> dict[str, FileDigest]:
    """Size and SHA-256 of the files that a manifest must list."""
    return {name: _digest(folder / name) for name in (TABLE_FILE, INDEX_FILE) if (folder / name).exists()}


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


def open_table(folder: Path, manifest_sha256: str | None = None) -> Table:
    """Verify every digest and map the table.

    Raises
    ------
    TableDamaged
        A file is missing, truncated or changed, or the parts do not fit each other.
    """
    manifest = read_manifest(folder, manifest_sha256)
    try:
        for name, digest in manifest.files.items():
            if _digest(folder / name) != digest:
                raise TableDamaged(f"{name} does not have the digest its manifest states.")
        arrays = _map_safetensors(folder / TABLE_FILE)
        table = Table(
            Vocabulary(arrays["word_bytes"], arrays["word_offsets"], arrays["counts"]),
            arrays["unit_vectors"],
            arrays["norms"],
            Neighbors(arrays["neighbor_ids"], arrays["neighbor_scores"]),
            arrays["word_slots"],
            arrays["word_order"],
            arrays["text_component"],
            folder,
            manifest,
        )
        fits = _fits(table)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TableDamaged(f"The table cannot be opened: {error}") from error
    if not fits:
        raise TableDamaged("The parts of the table do not fit each other.")
    return table


def _fits(table: Table) -> bool:
    n_words, dim = table.manifest.n_words, table.manifest.dim
    neighbors, offsets = table.neighbors, table.vocabulary.word_offsets
    n_slots = len(table.word_slots)
    return (
        table.unit_vectors.shape == (n_words, dim)
        and table.norms.shape == table.vocabulary.counts.shape == table.word_order.shape == (n_words,)
        and table.text_component.shape == (dim,)
        and offsets.shape == (n_words + 1,)
        and offsets[0] == 0
        and offsets[-1] == len(table.vocabulary.word_bytes)
        and bool(np.all(np.diff(offsets) > 0))
        and neighbors.ids.ndim == 2
        and neighbors.ids.shape == neighbors.scores.shape
        and len(neighbors.ids) <= n_words
        and n_slots > n_words
        and n_slots & (n_slots - 1) == 0
        and all(_within(ids, n_words) for ids in (neighbors.ids, table.word_order))
        and _within(table.word_slots, n_words, low=-1)
        and int(np.count_nonzero(table.word_slots >= 0)) == n_words
    )


def _within(ids: npt.NDArray[np.int32], n_words: int, low: int = 0) -> bool:
    return ids.dtype == np.int32 and (ids.size == 0 or (int(ids.min()) >= low and int(ids.max()) < n_words))


def _digest(path: Path) -> FileDigest:
    """In large pieces: between any two, a thread that computes may keep this one waiting for the interpreter."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES))
    with path.open("rb", buffering=0) as file:
        while n_bytes := file.readinto(piece):
            digest.update(piece[:n_bytes])
        return FileDigest(n_bytes=file.tell(), sha256=digest.hexdigest())


def _map_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Map every tensor without copying it; the library's reader copies."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    start = 8 + int.from_bytes(mapped[:8], "little")
    if start > min(MAX_HEADER_BYTES, len(mapped)):
        raise TableDamaged(f"{path.name} has an impossible header of {start - 8} bytes.")
    header = json.loads(mapped[8:start])
    data = np.frombuffer(mapped, np.uint8, offset=start)
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, end = entry["data_offsets"]
        if not 0 <= first <= end <= len(data):
            raise TableDamaged(f"{path.name}: tensor {name} lies outside the file.")
        arrays[name] = data[first:end].view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays
