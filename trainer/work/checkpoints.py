"""Checkpoints of one job in storage."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import structlog

from app.core.errors import StorageUnavailable
from app.core.storage import Storage
from trainer.steps.checkpoint import FolderCheckpoints
from trainer.steps.ending import Ending

PHASES = ("training", "replicas")
"""Those that save where they are, and look whether a checkpoint is wanted."""

logger = structlog.get_logger()


class StorageCheckpoints:
    """Checkpoints of one job in storage, so that a trainer on another machine can go on with it.

    One is wanted at once when the process is asked to end, which it does with that.
    """

    def __init__(
        self, storage: Storage, key: str, scratch: Path, every_seconds: float, ending: Ending | None = None
    ) -> None:
        self.every_seconds = every_seconds
        self._storage = storage
        self._key = key
        self._ending = ending or Ending()
        self._local = FolderCheckpoints(scratch / "checkpoint", every_seconds)

    def is_wanted(self) -> bool:
        return self._ending.is_asked

    def save(self, arrays: Any, state: dict[str, Any]) -> None:
        """Save, or say in the log why not: a training that cannot be saved goes on."""
        try:
            self._local.save(arrays, state)
            self._storage.put_file(self._local.latest, self._key)
        except (OSError, StorageUnavailable) as error:
            shutil.rmtree(self._local.folder, ignore_errors=True)  # the space is the training's
            logger.warning("checkpoint not saved", action="checkpoint_failed", key=self._key, reason=str(error))
        self._ending.check()

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if not self._storage.exists(self._key):
            return None
        self._local.folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._storage.local_file(self._key, self._local.folder / "download"), self._local.latest)
        return self._local.load()
