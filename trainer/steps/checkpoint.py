"""Saving a training that goes on, so that another process can go on with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
State = dict[str, Any]

MAGIC = b"wordkin checkpoint 1\n"
COST_LIMIT = 0.015
"""Share of the time that saving may take: the interval grows where a save is slow."""


class Checkpoints(Protocol):
    """Where a training keeps its state; arrays go in and out by name, `state` is anything JSON holds."""

    every_seconds: float

    def save(self, arrays: Arrays, state: State) -> None: ...

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], State] | None: ...


def fingerprint(*parts: str | npt.NDArray[Any]) -> str:
    """What a checkpoint belongs to: a digest of hyperparameters and corpus."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode() if isinstance(part, str) else part.tobytes()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


class FolderCheckpoints:
    """Checkpoints in a folder: the latest and the one before, each one file, written aside and renamed.

    A file that is torn, altered or of another training counts as absent, so that `load` falls back to the one before
    or to None. The file is a line of magic, the SHA-256 of all that follows, a JSON head and the raw arrays.
    """

    def __init__(self, folder: Path, every_seconds: float = 60.0) -> None:
        self.folder = folder
        self.latest = folder / "latest.checkpoint"
        self.every_seconds = every_seconds

    def save(self, arrays: Arrays, state: State) -> None:
        """Write a checkpoint durably; the previous one stays until the next save."""
        self.folder.mkdir(parents=True, exist_ok=True)
        latest, previous, aside = (self.folder / f"{name}.checkpoint" for name in ("latest", "previous", "aside"))
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        shapes = {name: [array.dtype.str, list(array.shape)] for name, array in contiguous.items()}
        head = json.dumps({"state": state, "arrays": shapes}).encode()
        parts: list[Any] = [len(head).to_bytes(8, "little"), head]
        parts += [array.reshape(-1).view(np.uint8).data for array in contiguous.values()]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        with aside.open("wb") as file:
            file.write(MAGIC + digest.digest())
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if latest.exists():
            latest.replace(previous)
        aside.replace(latest)
        self._sync_folder()

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], State] | None:
        """The latest checkpoint that is whole, or None."""
        for name in ("latest", "previous"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                return _read((self.folder / f"{name}.checkpoint").read_bytes())
        return None

    def _sync_folder(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(blob: bytes) -> tuple[dict[str, npt.NDArray[Any]], State]:
    body = memoryview(blob)[len(MAGIC) + 32 :]
    if blob[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != blob[len(MAGIC) : len(MAGIC) + 32]:
        raise ValueError("not a whole checkpoint")
    place = 8 + int.from_bytes(body[:8], "little")
    head = json.loads(bytes(body[8:place]))
    arrays = {}
    for name, (dtype, shape) in head["arrays"].items():
        arrays[name] = np.frombuffer(body, dtype, math.prod(shape), place).reshape(shape)
        place += arrays[name].nbytes
    return arrays, head["state"]


class Saver:
    """Decides when to save: `every_seconds` apart, or further where saving is slow, so that it stays below 2 %."""

    def __init__(self, checkpoints: Checkpoints | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._checkpoints = checkpoints
        self._clock = clock
        self._last = clock()
        self._interval = checkpoints.every_seconds if checkpoints else float("inf")

    def is_due(self) -> bool:
        return self._clock() - self._last >= self._interval

    def save(self, arrays: Arrays, state: State) -> None:
        if self._checkpoints is None:
            return
        start = self._clock()
        self._checkpoints.save(arrays, state)
        self._last = self._clock()
        self._interval = max(self._checkpoints.every_seconds, (self._last - start) / COST_LIMIT)

    def load(self, identity: str) -> tuple[dict[str, npt.NDArray[Any]], State] | None:
        """The last checkpoint, if its state has this ``"identity"``; its arrays are read-only."""
        found = self._checkpoints.load() if self._checkpoints else None
        return found if found and found[1].get("identity") == identity else None
