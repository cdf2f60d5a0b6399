"""What dead attempts left goes; what a row names or a live attempt writes stays."""

from __future__ import annotations

from app.core import catalog, jobs
from app.core.catalog import CorpusContent
from app.core.database import Database
from app.core.jobs import Claim, JobRequest
from app.core.storage import Storage
from tests.conftest import Clock
from trainer.work.sweep import sweep


def attempt(database: Database, storage: Storage) -> tuple[Claim, str]:
    """A claimed job that has written a file and a checkpoint."""
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    prefix = f"versions/{claim.job_id}-{claim.token}"
    storage.put_new(b"x", f"{prefix}/table.safetensors")
    storage.put_new(b"x", f"checkpoints/{claim.job_id}/latest")
    return claim, prefix


def test_only_what_nobody_needs_is_swept(database: Database, storage: Storage, clock: Clock) -> None:
    storage.put_new(b"text", "corpora/named")
    storage.put_new(b"text", "corpora/on-its-way")
    with database.transaction() as session:
        corpus, _ = catalog.add_corpus(session, "corpus", CorpusContent("corpora/named", "digest", 4, 1, 1))
        for _ in range(3):
            clock.advance(1)
            jobs.submit(session, JobRequest("train", "m", {}, corpus.id))

    published, published_prefix = attempt(database, storage)
    with database.transaction() as session:
        version = catalog.publish(session, published, published_prefix, "digest", {})
        jobs.succeed(session, published, {"version": version.number})
    failed, _ = attempt(database, storage)
    jobs.fail(database, failed, {"type": "x"})
    lost, _ = attempt(database, storage)
    clock.advance(31)
    alive = jobs.claim(database, "another", lease_seconds=30, max_attempts=3)
    assert alive is not None
    assert alive.job_id == lost.job_id
    alive_prefix = f"versions/{alive.job_id}-{alive.token}"
    storage.put_new(b"x", f"{alive_prefix}/table.safetensors")

    sweep(database, storage)

    kept = sorted(f"{prefix}/table.safetensors" for prefix in (published_prefix, alive_prefix))
    assert storage.keys("versions") == kept
    assert storage.keys("checkpoints") == [f"checkpoints/{alive.job_id}/latest"]
    assert storage.keys("corpora") == ["corpora/named", "corpora/on-its-way"]
