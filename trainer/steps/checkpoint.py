"""Saving a training that goes on, so that another process can go on with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from app.core.durable import make_durable

Arrays = Mapping[str, npt.NDArray[Any]]
State = dict[str, Any]

DTYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "U64": np.uint64}
"""What safetensors calls the types of the arrays that algorithms save."""
COST_LIMIT = 0.015
"""Share of the time that saving may take: the interval grows where a save is slow."""


class Checkpoints(Protocol):
    """Where a training keeps its state; arrays go in and out by name, `state` is anything JSON holds."""

    every_seconds: float

    def is_wanted(self) -> bool:
        """Whether one is wanted now, whenever the last was."""

    def save(self, arrays: Arrays, state: State) -> None: ...

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], State] | None: ...


def fingerprint(*parts: str | npt.NDArray[Any]) -> str:
    """What a checkpoint belongs to: a digest of hyperparameters and corpus."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = np.frombuffer(part.encode(), np.uint8) if isinstance(part, str) else np.ascontiguousarray(part)
        digest.update(encoded.nbytes.to_bytes(8, "little"))
        digest.update(encoded.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


class FolderCheckpoints:
    """Checkpoints in a folder: the latest and the one before, each one file, written aside and renamed.

    A file is a safetensors file whose metadata holds the state as JSON and a digest of all that it says. One that is
    torn or altered counts as absent, so that `load` falls back to the one before or to None.
    """

    def __init__(self, folder: Path, every_seconds: float = 60.0) -> None:
        self.folder = folder
        self.latest = folder / "latest.checkpoint"
        self.every_seconds = every_seconds

    def is_wanted(self) -> bool:
        return False

    def save(self, arrays: Arrays, state: State) -> None:
        """Write a checkpoint durably; the previous one stays until the next save."""
        self.folder.mkdir(parents=True, exist_ok=True)
        previous, aside = self.folder / "previous.checkpoint", self.folder / "aside.checkpoint"
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        said = json.dumps(state)
        save_file(contiguous, aside, {"state": said, "sha256": _digest(contiguous, said)})
        make_durable(aside)
        if self.latest.exists():
            self.latest.replace(previous)
        aside.replace(self.latest)
        make_durable(self.folder)

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], State] | None:
        """The latest checkpoint that is whole, or None; its arrays are mapped from the file, read-only."""
        for name in ("latest", "previous"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                return _mapped(self.folder / f"{name}.checkpoint")
        return None


def _mapped(path: Path) -> tuple[dict[str, npt.NDArray[Any]], State]:
    """What a whole checkpoint holds; the library's own reader copies the arrays."""
    blob = np.memmap(path, np.uint8, mode="r")
    start = 8 + int.from_bytes(blob[:8].tobytes(), "little")
    head = json.loads(blob[8:start].tobytes())
    metadata = head.pop("__metadata__")
    arrays = {}
    for name, entry in head.items():
        first, end = entry["data_offsets"]
        arrays[name] = blob[start + first : start + end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if _digest(arrays, metadata["state"]) != metadata["sha256"]:
        raise ValueError("not a whole checkpoint")
    return arrays, json.loads(metadata["state"])


def _digest(arrays: Arrays, said: str) -> str:
    named = sorted(arrays.items())
    shapes = [[name, array.dtype.str, list(array.shape)] for name, array in named]
    return fingerprint(said, json.dumps(shapes), *(array for _, array in named))


class Saver:
    """Decides when to save: `every_seconds` apart, or further where saving is slow, so that it stays below 2 %.

    Parameters
    ----------
    checkpoints : where to save; without them nothing is ever due
    identity : of the training; a checkpoint of another one is not loaded
    clock : seconds
    """

    def __init__(
        self, checkpoints: Checkpoints | None, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checkpoints = checkpoints
        self._identity = identity
        self.is_saving = checkpoints is not None
        self._clock = clock
        self._last = clock()
        self._interval = checkpoints.every_seconds if checkpoints else float("inf")

    def is_due(self) -> bool:
        is_wanted = self._checkpoints is not None and self._checkpoints.is_wanted()
        return is_wanted or self._clock() - self._last >= self._interval

    def save(self, arrays: Arrays, state: State) -> None:
        if self._checkpoints is None:
            return
        start = self._clock()
        self._checkpoints.save(arrays, {"identity": self._identity} | state)
        self._last = self._clock()
        self._interval = max(self._checkpoints.every_seconds, (self._last - start) / COST_LIMIT)

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], State] | None:
        """The last checkpoint, if it is of this training; its arrays are read-only."""
        found = self._checkpoints.load() if self._checkpoints else None
        return found if found and found[1].get("identity") == self._identity else None
