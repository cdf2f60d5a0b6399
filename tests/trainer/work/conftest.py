"""An attempt of a job without a worker, and the version that it has stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from app.core.records import Version
from app.core.storage import Storage
from app.core.table.manifest import parse_manifest
from app.core.table.reading import Table, open_table
from trainer.steps.progress import ignore
from trainer.work.context import Context
from trainer.work.messages import Publishes


def context_in(storage: Storage, folder: Path, *, model: str = "m", threads: int = 2) -> Context:
    """An attempt with this new folder as scratch; its version is stored under a name of the folder."""
    folder.mkdir()
    prefix = f"versions/job-{folder.name}"
    return Context("job", 1, model, storage, prefix, folder, threads, lambda _: ignore, lambda _: None, None)


def opened(storage: Storage, folder: Path, result: Publishes) -> Table:
    """The version that an attempt in this folder has stored."""
    files = parse_manifest(result.manifest).files
    return open_table(storage.local_folder(f"versions/job-{folder.name}", ["manifest.json", *files]))


def version_row(result: Publishes) -> Version:
    """The row that a publication of this would make."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    said = {"manifest_sha256": "0", "manifest": result.manifest, "n_bytes": 1, "created_at": moment}
    return Version(model="m", number=1, job_id="1", prefix="p", **said)
