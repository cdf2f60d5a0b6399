"""Folders for the working files of attempts; what dead workers left is removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder for one attempt, locked while it is used; those that dead workers left are removed first."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        with locked(left) as is_ours:
            if is_ours:
                shutil.rmtree(left, ignore_errors=True)
    while True:  # another trainer may find the folder before it is locked, and remove it
        folder = parent / f"{os.getpid()}-{time.time_ns():x}"
        folder.mkdir()
        with locked(folder) as is_ours:
            if not is_ours or not folder.exists():
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Lock a folder or a file by its descriptor, which the system releases however the process ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
