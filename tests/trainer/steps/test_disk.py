"""Arrays go to disk whole; a disk that is full is named, whoever notices it."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from app.core.errors import StorageFull
from trainer.steps.disk import full_disk_named, on_disk, reserved_file, write_all


class Reluctant(io.FileIO):
    """Takes seven bytes at a time."""

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[:7])


@pytest.mark.parametrize("array", [np.arange(100, dtype=np.int32), np.zeros((0, 3)), np.ones((4, 5), np.float32)])
def test_everything_is_written_however_little_a_write_takes(array: np.ndarray, tmp_path: Path) -> None:
    with Reluctant(tmp_path / "file", "w") as file:
        write_all(file, array)
    assert (tmp_path / "file").read_bytes() == array.tobytes()


def test_arrays_come_back_mapped(tmp_path: Path) -> None:
    array = np.arange(10, dtype=np.int32)
    mapped = on_disk(array, tmp_path / "ids")
    assert isinstance(mapped, np.memmap)
    assert mapped.tolist() == array.tolist()
    assert on_disk(array[:0], tmp_path / "none").tolist() == []


def test_reserved_space_is_there(tmp_path: Path) -> None:
    assert reserved_file(tmp_path / "cells", 10_000).stat().st_blocks * 512 >= 10_000
    assert reserved_file(tmp_path / "none", 0).stat().st_size == 0


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named(error: Exception) -> None:
    with pytest.raises(StorageFull, match=r"No room for it: .*(space|quota)"), full_disk_named("No room for it"):
        raise error


@pytest.mark.parametrize("error", [OSError(errno.EIO, "I/O error"), SafetensorError("header too large"), KeyError(1)])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, full_disk_named("No room for it"):
        raise error
    assert caught.value is error
