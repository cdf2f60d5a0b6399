"""Cells on disk: written in row order, mapped for reading, checked against the space there is."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import StorageFull
from trainer.kernels.glove.cooccurrence import Cells

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
        _write(columns, cells.columns[:n_cells])
        _write(counts, cells.counts[:n_cells])
        self.n_cells += n_cells

    def map(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
        """The cells written so far, read-only."""
        if self.n_cells == 0:  # an empty file cannot be mapped
            return np.zeros(0, np.int32), np.zeros(0, np.uint64)
        columns, counts = self._paths
        return np.memmap(columns, np.int32, "r"), np.memmap(counts, np.uint64, "r")

    def remove(self) -> None:
        for path in self._paths:
            path.unlink()


def _write(file: FileIO, array: npt.NDArray[Any]) -> None:
    rest = array.view(np.uint8)
    while rest.size:  # an unbuffered write may take only a part
        rest = rest[file.write(rest.data) :]


def check_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Refuse early what the disk of `folder` cannot hold."""
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise StorageFull(
            f"{what} needs about {needed_bytes:,} bytes of scratch space; {free_bytes:,} are free.",
            needed_bytes=needed_bytes,
            free_bytes=free_bytes,
        )


def reserved_file(path: Path, n_bytes: int) -> Path:
    """A file of `n_bytes` whose space is really there: writing to its mapping cannot fail later."""
    with path.open("wb") as file:
        if n_bytes:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
    return path


@contextmanager
def space_guard(folder: Path) -> Iterator[None]:
    """A fresh folder for the enclosed work; removed when that fails, a full disk becoming `StorageFull`."""
    folder.mkdir()
    try:
        yield
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free_bytes = shutil.disk_usage(folder.parent).free
        raise StorageFull(
            f"The disk filled up while {folder.name} was written; without it {free_bytes:,} bytes are free.",
            free_bytes=free_bytes,
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
