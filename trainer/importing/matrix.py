"""A matrix of numbers somewhere in a file, read as float32 some rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.table.arrays import FloatArray

BLOCK_BYTES = 4 << 20
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I8": "<i1"}
"""How numbers of vectors may be written, by safetensors' names; numpy has no type for BF16."""


@dataclass(frozen=True)
class Matrix:
    """Where the numbers are: `dtype` is a key of `DTYPES`, `start` a byte, `order` is C by rows and F by columns."""

    path: Path
    start: int
    dtype: str
    n_rows: int
    dim: int
    order: Literal["C", "F"] = "C"

    @property
    def n_bytes(self) -> int:
        return self.n_rows * self.dim * np.dtype(DTYPES[self.dtype]).itemsize

    @property
    def rows_at_once(self) -> int:
        return max(BLOCK_BYTES // (4 * self.dim), 1)

    def mapped(self) -> npt.NDArray[np.generic]:
        """The numbers as they are written, mapped into memory; BF16 as uint16.

        Raises
        ------
        VectorsUnreadable
            The file ends before the matrix does.
        """
        left = self.path.stat().st_size - self.start
        if self.n_bytes > left:
            raise VectorsUnreadable(
                f"At byte {self.start} begin {self.n_rows} x {self.dim} numbers, which need {self.n_bytes} bytes; "
                f"{left} follow. The file was cut, or its header lies.",
                byte=self.start,
            )
        shape = (self.n_rows, self.dim)
        return np.memmap(self.path, DTYPES[self.dtype], "r", self.start, shape, self.order)


def as_float32(numbers: npt.NDArray[np.generic], dtype: str) -> FloatArray:
    """Numbers of one of `DTYPES` as float32; what float32 cannot hold becomes infinite."""
    if dtype == "BF16":
        upper: FloatArray = (numbers.astype(np.uint32) << 16).view(np.float32)
        return upper
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(numbers, np.float32)
