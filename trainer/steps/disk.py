"""Arrays into files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


def write_all(file: io.FileIO, array: npt.NDArray[Any]) -> None:
    """Append a contiguous array to an unbuffered file."""
    rest = array.data.cast("B")
    while rest:
        rest = rest[file.write(rest) :]


def on_disk(array: npt.NDArray[Scalar], path: Path) -> npt.NDArray[Scalar]:
    """The same array, memory-mapped from a file that this creates."""
    if not array.size:
        return array
    with path.open("wb", buffering=0) as file:
        write_all(file, array)
    return np.memmap(path, array.dtype, mode="r")
