"""A table that stays on disk: rows are read when they are asked for, and memory holds no more than those."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged, reason
from app.core.table.arrays import FloatArray
from app.core.table.digests import digest_of
from app.core.table.manifest import TABLE_FILE, Manifest
from app.core.table.quantised import stored_as, unit_rows
from app.core.table.reading import MAX_HEADER_BYTES, places


class StoredTable:
    """``table.safetensors`` of a version's folder, open; its digest was verified.

    Rows are read and not mapped: whoever cut a mapped file would end the process.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Open and verify it.

        Raises
        ------
        TableDamaged
            It is missing, truncated or changed.
        """
        self.manifest = manifest
        path = folder / TABLE_FILE
        try:
            if digest_of(path) != manifest.files[TABLE_FILE]:
                raise TableDamaged(f"{TABLE_FILE} does not have the digest its manifest states.")
            with path.open("rb") as file:
                self._places = places(file.read(MAX_HEADER_BYTES), manifest.files[TABLE_FILE].n_bytes)
            self._file = path.open("rb", buffering=0)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise TableDamaged(f"The table cannot be opened: {reason(error)}.") from error

    def rows(self, name: str, first: int, last: int) -> npt.NDArray[Any]:
        """Rows `first` to before `last` of an array; raises `TableDamaged` if the file has become shorter."""
        place = self._places[name]
        array = np.empty((last - first, *place.shape[1:]), place.dtype)
        n_row_bytes = math.prod(place.shape[1:]) * place.dtype.itemsize
        if os.preadv(self._file.fileno(), [array.data], place.first + first * n_row_bytes) != array.nbytes:
            raise TableDamaged(f"{TABLE_FILE} has become shorter.")
        return array

    def unit_rows(self, first: int, last: int) -> FloatArray:
        """Unit vectors, float32 (last - first, dim)."""
        return unit_rows(self.rows(stored_as(self._places), first, last))

    def shape(self, name: str) -> tuple[int, ...]:
        return self._places[name].shape

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
