"""Opens a version's folder: every digest is verified, the arrays are mapped, not copied."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged
from app.core.table.arrays import Contents, FloatArray, Neighbors
from app.core.table.lookup import WordLookup
from app.core.table.manifest import INDEX_FILE, TABLE_FILE, Manifest, digest_of, read_manifest
from app.core.table.vocabulary import Vocabulary

MAX_HEADER_BYTES = 1 << 20
_DTYPES = {"F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8}


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
            if digest_of(folder / name) != digest:
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
