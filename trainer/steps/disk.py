"""Arrays in files, and the disk's space: asked for before the work, named when it runs out."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from app.core.errors import StorageFull

Scalar = TypeVar("Scalar", bound=np.generic)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def write_all(file: io.FileIO, array: npt.NDArray[Any]) -> None:
    """Append a contiguous array to an unbuffered file, which may take only a part of what it is given."""
    rest = array.reshape(-1).view(np.uint8)
    while rest.size:
        rest = rest[file.write(rest.data) :]


def on_disk(array: npt.NDArray[Scalar], path: Path) -> npt.NDArray[Scalar]:
    """The same array, memory-mapped from a file that this creates."""
    if not array.size:  # an empty file cannot be mapped
        return array
    with path.open("wb", buffering=0) as file:
        write_all(file, array)
    return np.memmap(path, array.dtype, mode="r")


def reserved_file(path: Path, n_bytes: int) -> Path:
    """A file of `n_bytes` whose space is really there: writing to its mapping cannot fail later."""
    with path.open("wb") as file:
        if n_bytes:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
    return path


def check_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Refuse early what the disk of `folder` cannot hold; raises StorageFull."""
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise StorageFull(
            f"{what} needs about {needed_bytes:,} bytes of scratch space; {free_bytes:,} are free.",
            needed_bytes=needed_bytes,
            free_bytes=free_bytes,
        )


@contextmanager
def full_disk_named(detail: str) -> Iterator[None]:
    """Raise `StorageFull` with this text when the enclosed work finds no space left on a disk."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        if not _is_full(error):
            raise
        raise StorageFull(f"{detail}: {error.strerror if isinstance(error, OSError) else error}.") from error


@contextmanager
def fresh_folder(folder: Path) -> Iterator[None]:
    """A new folder for the enclosed work; it is removed when that fails, and a full disk becomes `StorageFull`."""
    folder.mkdir()
    try:
        yield
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not _is_full(error):
            raise
        free_bytes = shutil.disk_usage(folder.parent).free
        raise StorageFull(
            f"The disk filled up while {folder.name} was written; without it {free_bytes:,} bytes are free.",
            free_bytes=free_bytes,
        ) from error


def _is_full(error: BaseException) -> bool:
    if isinstance(error, SafetensorError):  # it tells the system's error in its text only
        return any(f"(os error {number})" in str(error) for number in NO_SPACE)
    return isinstance(error, OSError) and error.errno in NO_SPACE
