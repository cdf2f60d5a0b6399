"""A version's files into storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, Written
from trainer.work.messages import Publishes


def store_version(
    storage: Storage, prefix: str, folder: Path, written: Written, told: dict[str, Any] | None = None
) -> Publishes:
    """Put a version into storage; it exists once its manifest does, which is written last and only once.

    `told` goes into the job's result.
    """
    for name in written.manifest.files:
        storage.put_file(folder / name, f"{prefix}/{name}")
    if not storage.put_new(written.content, f"{prefix}/{MANIFEST_FILE}"):
        raise RuntimeError(f"{prefix} has a manifest already")
    return Publishes(written.sha256, written.manifest.model_dump(mode="json"), told or {})
