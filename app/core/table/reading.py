"""Opens a version's folder: every digest is verified, on the very bytes that are then served.

They are read into memory of this process. A mapped file would save that copy, but whoever wrote into it would change
answers, and whoever cut it would end the process.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged, reason
from app.core.table.arrays import EVIDENCE, Arrays, FloatArray, Neighbors, misfit
from app.core.table.digests import PIECE_BYTES, FileDigest, digest_of
from app.core.table.evidence import Evidence
from app.core.table.lookup import WordLookup
from app.core.table.manifest import INDEX_FILE, TABLE_FILE, Manifest, TrainedOrigin, describe, read_manifest
from app.core.table.parts import Parts, misfit_of_parts
from app.core.table.quantised import UnitVectors, stored_as, unit_rows, unit_vectors_of
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader

MAX_HEADER_BYTES = 1 << 20
PAGE_BYTES = 4096
Bytes = npt.NDArray[np.uint8]
_DTYPES = {"F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8, "I8": np.int8, "F16": np.float16}


class Table:
    """An open table: read-only arrays in memory, where they came from and what they say of themselves.

    Parameters
    ----------
    folder : where its files lie
    manifest : what it says of itself
    arrays : the arrays of `app.core.table.arrays.ARRAYS`, by name
    """

    def __init__(self, folder: Path, manifest: Manifest, arrays: Arrays) -> None:
        self.folder = folder
        self.manifest = manifest
        self.arrays = arrays
        self.vocabulary = Vocabulary(arrays["word_bytes"], arrays["word_offsets"], arrays["counts"])
        self.unit_vectors: UnitVectors = unit_vectors_of(arrays)
        self.norms: FloatArray = arrays["norms"]
        self.neighbors = Neighbors(arrays["neighbor_ids"], arrays["neighbor_scores"])
        self.text_component: FloatArray = arrays["text_component"]

    @cached_property
    def lookup(self) -> WordLookup:
        return WordLookup(self.vocabulary, self.arrays["word_slots"], self.arrays["word_order"])

    @cached_property
    def reader(self) -> TextReader:
        """Reads text as the corpus was read.

        Raises
        ------
        ExtraMissing, TokenizerUnusable, TableDamaged
        """
        return TextReader(self.manifest.text, read_resources(self.folder, self.manifest))

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the corpus showed, if that was stored."""
        described = self.manifest.origin.evidence if isinstance(self.manifest.origin, TrainedOrigin) else None
        if described is None or EVIDENCE[0] not in self.arrays:
            return None
        return Evidence(described, *(self.arrays[name] for name in EVIDENCE))

    @cached_property
    def parts(self) -> Parts | None:
        """What other words are composed of, if they can be."""
        composition = self.manifest.composition
        return None if composition is None else Parts.of(composition, self.arrays)

    def vector(self, word_id: int) -> FloatArray:
        """The vector as trained, float32 (dim,)."""
        vector: FloatArray = self.unit_vectors[word_id] * self.norms[word_id]
        return vector

    def rows(self, name: str, first: int, last: int) -> npt.NDArray[Any]:
        """Rows `first` to before `last` of an array."""
        return self.arrays[name][first:last]

    def unit_rows(self, first: int, last: int) -> FloatArray:
        """Unit vectors, float32 (last - first, dim)."""
        return unit_rows(self.rows(stored_as(self.arrays), first, last))

    def shape(self, name: str) -> tuple[int, ...]:
        return self.arrays[name].shape

    @property
    def index_file(self) -> Path:
        return self.folder / INDEX_FILE

    @property
    def n_bytes(self) -> int:
        return self.manifest.n_bytes


def read_resources(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The files that text is read with, verified once more; raises `TableDamaged`."""
    found = {}
    for name, digest in manifest.text.resources.items():
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            raise TableDamaged(f"{name} cannot be read: {reason(error)}.") from error
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise TableDamaged(f"{name} does not have the digest that text was read with.")
    return found


def open_table(folder: Path, manifest_sha256: str | None = None) -> Table:
    """Read the manifest, verified if its digest is given, and read the table; raises `TableDamaged`."""
    return read_table(folder, read_manifest(folder, manifest_sha256))


def read_table(folder: Path, manifest: Manifest) -> Table:
    """Verify every digest and read the table.

    Raises
    ------
    TableDamaged
        A file is missing, truncated or changed, or the parts do not fit each other.
    """
    try:
        content, found = _read(folder / TABLE_FILE)
        found_all = {name: found if name == TABLE_FILE else digest_of(folder / name) for name in manifest.files}
        for name, digest in manifest.files.items():
            if found_all[name] != digest:
                raise TableDamaged(f"{name} does not have the digest its manifest states.")
        arrays = _tensors(content)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TableDamaged(f"The table cannot be opened: {reason(error)}.") from error
    if manifest.arrays is not None and describe(arrays) != manifest.arrays:
        raise TableDamaged(f"{TABLE_FILE} does not hold the arrays its manifest lists.")
    wrong = misfit(arrays, manifest.n_words, manifest.dim)
    if wrong := wrong or misfit_of_parts(manifest.composition, arrays, manifest.files):
        raise TableDamaged(f"The parts of the table do not fit each other: {wrong}.")
    return Table(folder, manifest, arrays)


def mapped_arrays(folder: Path) -> Arrays:
    """The arrays of a table that this process has written: read from the disk as they are needed, and not verified."""
    return _tensors(np.asarray(np.memmap(folder / TABLE_FILE, np.uint8, "r")))


def _read(path: Path) -> tuple[Bytes, FileDigest]:
    """The file's bytes, at the start of a page and read-only, and their digest."""
    with path.open("rb", buffering=0) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        buffer = np.empty(n_bytes + PAGE_BYTES, np.uint8)
        start = -buffer.ctypes.data % PAGE_BYTES
        content, digest, place = buffer[start : start + n_bytes], hashlib.sha256(), 0
        while n_read := file.readinto(content.data[place : place + PIECE_BYTES]):
            digest.update(content.data[place : place + n_read])
            place += n_read
    content.flags.writeable = False
    return content, FileDigest(n_bytes=place, sha256=digest.hexdigest())


class Place(NamedTuple):
    """Where a tensor lies in its file, from `first` to `end`, and what it is."""

    first: int
    end: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def places(beginning: bytes, n_bytes: int) -> dict[str, Place]:
    """Where every tensor of a ``table.safetensors`` of `n_bytes` lies, by its first `MAX_HEADER_BYTES`.

    Tensors must fill the file one by one. Raises `TableDamaged`, `KeyError`, `TypeError` or `ValueError`.
    """
    start = 8 + int.from_bytes(beginning[:8], "little")
    if start > min(MAX_HEADER_BYTES, n_bytes):
        raise TableDamaged(f"{TABLE_FILE} has an impossible header of {start - 8} bytes.")
    header = json.loads(beginning[8:start])
    header.pop("__metadata__", None)
    found, place = {}, start
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        (first, end), dtype, shape = entry["data_offsets"], np.dtype(_DTYPES[entry["dtype"]]), entry["shape"]
        if start + first != place or end - first != math.prod(shape) * dtype.itemsize or start + end > n_bytes:
            raise TableDamaged(f"{TABLE_FILE}: tensor {name} does not lie where it should.")
        found[name] = Place(place, start + end, dtype, tuple(shape))
        place = start + end
    if place != n_bytes:
        raise TableDamaged(f"{TABLE_FILE} has {n_bytes - place} bytes too many.")
    return found


def _tensors(content: Bytes) -> dict[str, npt.NDArray[Any]]:
    """Views of every tensor; the library's reader would copy them."""
    found = places(content[:MAX_HEADER_BYTES].tobytes(), len(content))
    return {name: content[at.first : at.end].view(at.dtype).reshape(at.shape) for name, at in found.items()}
