"""What dead attempts left goes, by way of a quarantine; what a row names, lives or cannot be explained stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core import catalog, jobs, names, ownership
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import StorageForeign
from app.core.jobs import JobRequest
from app.core.storage import Storage
from tests.conftest import Clock
from trainer.work.sweep import QUARANTINE, UNKNOWN_GRACE, UPLOAD_GRACE, discard, sweep

MINUTE = timedelta(minutes=1)


def attempt(database: Database, storage: Storage, *files: str) -> tuple[Claim, str]:
    """A claimed job that has written files and a checkpoint."""
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    prefix = names.attempt_prefix(claim.job_id, claim.token)
    for name in ("table.safetensors", *files):
        storage.put_new(b"x", f"{prefix}/{name}")
    storage.put_new(b"x", names.checkpoint_key(claim.job_id))
    return claim, prefix


def queue(database: Database, n_jobs: int) -> None:
    with database.transaction() as session:
        for _ in range(n_jobs):
            jobs.submit(session, JobRequest("train", "m", {}))


def published(database: Database, storage: Storage) -> str:
    queue(database, 1)
    claim, prefix = attempt(database, storage, "manifest.json")
    with database.transaction() as session:
        version = catalog.publish(session, claim, prefix, catalog.Made("digest", {})).version
        jobs.succeed(session, claim, {"version": version.number})
    return prefix


def later(grace: timedelta) -> datetime:
    return datetime.now(UTC) + grace + MINUTE


def test_only_what_nobody_needs_is_swept(database: Database, storage: Storage, clock: Clock) -> None:
    storage.put_new(b"text", "corpora/named")
    with database.transaction() as session:
        corpora.add(session, "corpus", CorpusContent("corpora/named", "digest", 4, 1, 1))
    kept = published(database, storage)
    queue(database, 2)
    failed, failed_prefix = attempt(database, storage)
    jobs.fail(database, failed, {"type": "x"})
    lost, lost_prefix = attempt(database, storage, "manifest.json")
    clock.advance(31)
    alive = jobs.claim(database, "another", lease_seconds=30, max_attempts=3)
    assert alive is not None
    assert alive.job_id == lost.job_id
    alive_prefix = names.attempt_prefix(alive.job_id, alive.token)
    storage.put_new(b"x", f"{alive_prefix}/table.safetensors")
    storage.put_new(b"text", "corpora/on-its-way")

    sweep(database, storage)
    assert f"{failed_prefix}/table.safetensors" in storage.keys("versions"), "not within its grace"
    assert storage.keys("corpora") == ["corpora/named", "corpora/on-its-way"]
    assert storage.keys("checkpoints") == [names.checkpoint_key(alive.job_id)]

    moment = later(UPLOAD_GRACE)
    sweep(database, storage, moment)
    assert {names.folder_of(key) for key in storage.keys("versions")} == {kept, alive_prefix}
    assert storage.keys("corpora") == ["corpora/named"]
    put_away = [
        names.quarantine_key(f"{prefix}/table.safetensors", moment.date().isoformat())
        for prefix in (failed_prefix, lost_prefix)
    ]
    assert set(put_away) <= set(storage.keys("quarantine"))
    sweep(database, storage, moment + QUARANTINE)
    assert set(put_away) <= set(storage.keys("quarantine"))
    sweep(database, storage, moment + QUARANTINE + timedelta(days=1))
    assert storage.keys("quarantine") == []


def test_of_a_model_that_keeps_two_versions_the_others_go(database: Database, storage: Storage) -> None:
    prefixes = [published(database, storage) for _ in range(4)]
    sweep(database, storage)
    assert {names.folder_of(key) for key in storage.keys("versions")} == set(prefixes)
    with database.transaction() as session:
        (model,) = catalog.list_models(session)
        model.keep_versions = 2
    sweep(database, storage)
    assert {names.folder_of(key) for key in storage.keys("versions")} == set(prefixes[2:])


def test_what_this_database_cannot_explain_stays(database: Database, storage: Storage) -> None:
    """A version newer than a backup: complete, and of a job that nobody knows here."""
    published(database, storage)
    storage.put_new(b"x", "versions/unknown-token/table.safetensors")
    storage.put_new(b"x", "versions/unknown-token/manifest.json")
    storage.put_new(b"x", "versions/half-token/table.safetensors")
    sweep(database, storage, later(UPLOAD_GRACE))
    assert "versions/half-token/table.safetensors" in storage.keys("versions")
    sweep(database, storage, later(UNKNOWN_GRACE))
    assert "versions/half-token/table.safetensors" not in storage.keys("versions")
    assert "versions/unknown-token/manifest.json" in storage.keys("versions")
    discard(database, storage, "versions/unknown-token")
    assert "versions/unknown-token/manifest.json" in storage.keys("versions")


def test_an_empty_database_takes_nothing_from_a_storage(database: Database, storage: Storage) -> None:
    """The database was lost, mistyped, or is another installation's."""
    storage.put_new(b"x", "versions/job-token/table.safetensors")
    storage.put_new(b"x", "versions/job-token/manifest.json")
    storage.put_new(b"text", "corpora/theirs")
    before = storage.keys("")
    with pytest.raises(StorageForeign, match="this database knows none"):
        ownership.claim(database, storage)
    sweep(database, storage, later(UNKNOWN_GRACE + QUARANTINE))
    assert storage.keys("") == before


def test_another_databases_storage_is_never_swept(database: Database, storage: Storage, tmp_path: Path) -> None:
    published(database, storage)
    storage.put(b'{"database": "another"}', ownership.OWNER_KEY)
    storage.put_new(b"text", "corpora/theirs")
    before = storage.keys("")
    with pytest.raises(StorageForeign, match="belongs to the database another"):
        ownership.claim(database, storage)
    sweep(database, storage, later(UNKNOWN_GRACE + QUARANTINE))
    assert storage.keys("") == before
    ownership.adopt(database, storage)
    ownership.claim(database, storage)


def test_unfinished_writes_and_empty_folders_are_removed(database: Database, storage: Storage, tmp_path: Path) -> None:
    """What a killed process had begun to write, which no list of objects shows."""
    root = tmp_path / "storage"
    old, new = root / "corpora" / "key#1", root / "corpora" / "other#2"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"x" * 100)
    new.write_bytes(b"x")
    (root / "checkpoints" / "gone").mkdir(parents=True)
    hour_ago = datetime.now(UTC).timestamp() - 2 * UPLOAD_GRACE.total_seconds()
    for path in (old, root / "checkpoints" / "gone"):
        os.utime(path, (hour_ago, hour_ago))
    sweep(database, storage)
    assert not old.exists()
    assert new.exists()
    assert not (root / "checkpoints" / "gone").exists()
    assert root.exists()
