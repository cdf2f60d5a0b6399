"""Opens a version's folder: every digest is verified, the arrays are mapped, not copied."""

from __future__ import annotations

import json
import math
import mmap
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged
from app.core.table.arrays import Arrays, FloatArray, Neighbors, misfit
from app.core.table.lookup import WordLookup
from app.core.table.manifest import INDEX_FILE, TABLE_FILE, Manifest, describe, digest_of, read_manifest
from app.core.table.vocabulary import Vocabulary

MAX_HEADER_BYTES = 1 << 20
_DTYPES = {"F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8}


class Table:
    """An open table: memory-mapped, read-only arrays, where they lie and what they say of themselves.

    Parameters
    ----------
    folder : where it lies
    manifest : what it says of itself
    arrays : the arrays of `app.core.table.arrays.ARRAYS`, by name
    """

    def __init__(self, folder: Path, manifest: Manifest, arrays: Arrays) -> None:
        self.folder = folder
        self.manifest = manifest
        self.arrays = arrays
        self.vocabulary = Vocabulary(arrays["word_bytes"], arrays["word_offsets"], arrays["counts"])
        self.unit_vectors: FloatArray = arrays["unit_vectors"]
        self.norms: FloatArray = arrays["norms"]
        self.neighbors = Neighbors(arrays["neighbor_ids"], arrays["neighbor_scores"])
        self.text_component: FloatArray = arrays["text_component"]

    @cached_property
    def lookup(self) -> WordLookup:
        return WordLookup(self.vocabulary, self.arrays["word_slots"], self.arrays["word_order"])

    def vector(self, word_id: int) -> FloatArray:
        """The vector as trained, float32 (dim,)."""
        vector: FloatArray = self.unit_vectors[word_id] * self.norms[word_id]
        return vector

    @property
    def index_file(self) -> Path:
        return self.folder / INDEX_FILE

    @property
    def n_bytes(self) -> int:
        return self.manifest.n_bytes


def open_table(folder: Path, manifest_sha256: str | None = None) -> Table:
    """Read the manifest, verified if its digest is given, and map the table; raises `TableDamaged`."""
    return map_table(folder, read_manifest(folder, manifest_sha256))


def map_table(folder: Path, manifest: Manifest) -> Table:
    """Verify every digest and map the table.

    Raises
    ------
    TableDamaged
        A file is missing, truncated or changed, or the parts do not fit each other.
    """
    try:
        for name, digest in manifest.files.items():
            if digest_of(folder / name) != digest:
                raise TableDamaged(f"{name} does not have the digest its manifest states.")
        arrays = _map_safetensors(folder / TABLE_FILE)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TableDamaged(f"The table cannot be opened: {error}") from error
    if manifest.arrays is not None and describe(arrays) != manifest.arrays:
        raise TableDamaged(f"{TABLE_FILE} does not hold the arrays its manifest lists.")
    if wrong := misfit(arrays, manifest.n_words, manifest.dim):
        raise TableDamaged(f"The parts of the table do not fit each other: {wrong}.")
    return Table(folder, manifest, arrays)


def _map_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Map every tensor without copying it; the library's reader copies. Tensors must fill the file one by one."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    start = 8 + int.from_bytes(mapped[:8], "little")
    if start > min(MAX_HEADER_BYTES, len(mapped)):
        raise TableDamaged(f"{path.name} has an impossible header of {start - 8} bytes.")
    header = json.loads(mapped[8:start])
    header.pop("__metadata__", None)
    data = np.frombuffer(mapped, np.uint8, offset=start)
    arrays, place = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        (first, end), dtype, shape = entry["data_offsets"], np.dtype(_DTYPES[entry["dtype"]]), entry["shape"]
        if first != place or end - first != math.prod(shape) * dtype.itemsize or end > len(data):
            raise TableDamaged(f"{path.name}: tensor {name} does not lie where it should.")
        arrays[name] = data[first:end].view(dtype).reshape(shape)
        place = end
    if place != len(data):
        raise TableDamaged(f"{path.name} has {len(data) - place} bytes too many.")
    return arrays
