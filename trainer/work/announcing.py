"""Saying now and then what this machine has, so that a job which it cannot do is refused when it is submitted."""

from __future__ import annotations

import platform
import shutil
import time
from pathlib import Path

from app.core.database import Database
from app.core.settings import Settings
from app.core.trainers import Capacity, announce
from trainer.steps.memory import total_memory_bytes

ANNOUNCE_SECONDS = 60.0


class Announcer:
    """Of one trainer, while that has no job."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._told_at = -ANNOUNCE_SECONDS

    def announce_now_and_then(self) -> None:
        """Raise `DatabaseUnavailable` if it cannot be said now."""
        if time.monotonic() - self._told_at < ANNOUNCE_SECONDS:
            return
        capacity = Capacity(self._settings.trainer_threads, total_memory_bytes(), _free_bytes(self._settings.scratch))
        with self._database.transaction() as session:
            announce(session, platform.node(), capacity)
        self._told_at = time.monotonic()


def _free_bytes(folder: Path) -> int | None:
    """Of the disk of a folder that may still have to be made."""
    existing = next((path for path in (folder, *folder.parents) if path.exists()), None)
    return shutil.disk_usage(existing).free if existing else None
