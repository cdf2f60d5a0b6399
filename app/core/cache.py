"""Copies of remote objects, a folder a version, within a size; several processes may share them.

A folder is locked (shared) by whoever uses it and (alone) by whoever removes it, so that nothing in use is removed, and
a process that was killed holds nothing.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial"
"""Ends the name of a file that is not whole yet."""
DEPTH = 2
"""Folders are ``versions/<version>``."""


class Cache:
    """Below `folder`; what nobody holds leaves, the least recently used first, while all take more than `max_bytes`."""

    def __init__(self, folder: Path, max_bytes: int | None = None) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._held: dict[str, int] = {}
        self._changing = threading.Lock()

    def hold(self, name: str) -> Path:
        """A folder that stays until it is released."""
        with self._changing:
            path = self._folder / name
            if name in self._held and not _is_at(self._held[name], path):
                os.close(self._held.pop(name))  # somebody has removed it by force
            if name not in self._held:
                self._held[name] = _locked(path)
                _remove_left(path)
            os.utime(self._held[name])
            return path

    def release(self, name: str) -> None:
        """Let a folder go when its room is needed."""
        with self._changing:
            descriptor = self._held.pop(name, None)
            if descriptor is not None:
                os.close(descriptor)
        self.shrink()

    def remove(self, name: str) -> None:
        """Remove a folder, whoever holds it."""
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self.release(name)

    def shrink(self) -> None:
        """Keep to the size, as far as that goes without what is held."""
        if self._max_bytes is None:
            return
        sizes = {path: _n_bytes(path) for path in self._folders()}
        total = sum(sizes.values())
        for path in sorted(sizes, key=_used_at):
            if total <= self._max_bytes:
                return
            if _removed_unless_held(path):
                total -= sizes[path]

    def n_bytes(self) -> int:
        """What all folders take."""
        return sum(map(_n_bytes, self._folders()))

    def _folders(self) -> list[Path]:
        return [path for path in self._folder.glob("/".join("*" * DEPTH)) if path.is_dir()]


def write_whole(path: Path, pieces: Iterable[memoryview]) -> None:
    """Make a file that is there whole or not at all; what a process left that was killed meanwhile is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path.parent)
    with _begun(path) as file:
        partial = Path(file.name)
        try:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):  # the next who writes here removes it
                partial.unlink()
            raise


def _begun(path: Path) -> BinaryIO:
    """A new file beside the one that it will replace, locked for as long as it is open."""
    while True:
        file = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PARTIAL}").open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file.fileno(), Path(file.name)):
            return file
        file.close()  # somebody saw it before it was locked, and removed it


def _remove_left(folder: Path) -> None:
    """Files that nobody goes on writing."""
    for partial in folder.glob(f"*{PARTIAL}"):
        with suppress(OSError), partial.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink()


def _locked(path: Path) -> int:
    """Make a folder if there is none; a descriptor whose lock is shared."""
    while True:
        try:
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY)
        except (FileExistsError, FileNotFoundError):  # removed just now
            continue
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _removed_unless_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        if _is_at(descriptor, path):  # not another one, made and held since ours was removed
            shutil.rmtree(path, ignore_errors=True)
        return True
    finally:
        os.close(descriptor)


def _n_bytes(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(folder) / name).stat().st_size
    return total


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
