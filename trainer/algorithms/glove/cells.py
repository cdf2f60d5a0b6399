"""Cells on disk: written in row order, mapped for reading."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from trainer.kernels.glove.cooccurrence import Cells
from trainer.steps.arrays import Ids
from trainer.steps.disk import write_all

CELL_BYTES = 12
"""A cell on disk: an int32 column and a uint64 count."""


class CellFile:
    """Columns and counts of cells, two files that grow together."""

    def __init__(self, folder: Path, name: str) -> None:
        self._paths = (folder / f"{name}.columns", folder / f"{name}.counts")
        self._files = tuple(path.open("wb", buffering=0) for path in self._paths)
        self.n_cells = 0

    def __enter__(self) -> CellFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def append(self, cells: Cells, n_cells: int) -> None:
        columns, counts = self._files
        write_all(columns, cells.columns[:n_cells])
        write_all(counts, cells.counts[:n_cells])
        self.n_cells += n_cells

    def map(self) -> tuple[Ids, npt.NDArray[np.uint64]]:
        """The cells written so far, read-only."""
        if self.n_cells == 0:  # an empty file cannot be mapped
            return np.zeros(0, np.int32), np.zeros(0, np.uint64)
        columns, counts = self._paths
        return np.memmap(columns, np.int32, "r"), np.memmap(counts, np.uint64, "r")

    def remove(self) -> None:
        for path in self._paths:
            path.unlink()
