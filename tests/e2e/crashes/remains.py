"""What must be true of database and storage once all is quiet."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.core import ownership
from app.core.database import Database
from app.core.jobs import ENDED
from app.core.records import AliasMove, Corpus, Job, Model, Version
from app.core.storage import Storage
from trainer.work.sweep import QUARANTINE, UNKNOWN_GRACE, sweep

MAY_FAIL = {"/problems/worker-lost", "/problems/training-crashed", "/problems/storage-unavailable"}
"""The problems of a job whose attempts were all killed. Any other would be a fault of the service."""
DAY = timedelta(days=1)


def wrong_rows(database: Database, accepted: Iterable[str]) -> Iterator[str]:
    """Jobs that were lost, versions without their job, numbers that are missing or used twice."""
    with database.reading() as session:
        jobs = {job.id: job for job in session.scalars(select(Job))}
        versions = session.scalars(select(Version)).all()
        models = session.scalars(select(Model)).all()
        moves = session.scalars(select(AliasMove).order_by(AliasMove.revision)).all()
    yield from (f"the accepted job {job_id} is lost" for job_id in set(accepted) - jobs.keys())
    yield from (f"the job {job.id} is {job.state}" for job in jobs.values() if job.state not in ENDED)
    for job in jobs.values():
        if job.error and job.error["type"] not in MAY_FAIL:
            yield f"the job {job.id} failed: {job.error}"
    succeeded = {
        job.id: (job.model, (job.result or {})["version"]) for job in jobs.values() if job.state == "succeeded"
    }
    published = {version.job_id: (version.model, version.number) for version in versions}
    if succeeded != published or len(published) != len(versions):
        yield f"the jobs {succeeded} have succeeded, and there are the versions {published}"
    yield from _different_tables(jobs, versions)
    for model in models:
        numbers = sorted(number for name, number in published.values() if name == model.name)
        if numbers != list(range(1, model.n_versions + 1)):
            yield f"the model {model.name} has the versions {numbers} and counts {model.n_versions}"
    revisions = defaultdict(list)
    for move in moves:
        revisions[move.model, move.alias].append(move.revision)
    for alias, found in revisions.items():
        if found != list(range(1, len(found) + 1)):
            yield f"the alias {alias} has the revisions {found}"


def _different_tables(jobs: dict[str, Job], versions: Iterable[Version]) -> Iterator[str]:
    """One thread and one seed give the same bytes, wherever the training was interrupted."""
    tables = defaultdict(set)
    for version in versions:
        payload = jobs[version.job_id].payload
        training = json.dumps([payload["corpus"]["sha256"], payload["hyperparameters"]])
        tables[training].add(version.manifest["files"]["table.safetensors"]["sha256"])
    yield from (f"{training} gave the tables {found}" for training, found in tables.items() if len(found) > 1)


def sweep_all(database: Database, storage: Storage) -> None:
    """What workers do hour by hour, as if days had passed."""
    moment = datetime.now(UTC) + UNKNOWN_GRACE + DAY
    sweep(database, storage, moment)
    sweep(database, storage, moment + QUARANTINE + DAY)


def wrong_files(database: Database, data: Path) -> Iterator[str]:
    """Files that no row names, and rows whose files are not there or not whole."""
    root = data / "storage"
    expected = {ownership.OWNER_KEY: ""}
    with database.reading() as session:
        expected |= {corpus.key: corpus.sha256 for corpus in session.scalars(select(Corpus))}
        for version in session.scalars(select(Version)):
            expected[f"{version.prefix}/manifest.json"] = version.manifest_sha256
            for name, file in json.loads((root / version.prefix / "manifest.json").read_bytes())["files"].items():
                expected[f"{version.prefix}/{name}"] = file["sha256"]
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    yield from (f"no row names {key}" for key in found - expected.keys())
    yield from (f"{key} is missing" for key in expected.keys() - found)
    for key in found & expected.keys():
        digest = hashlib.sha256((root / key).read_bytes()).hexdigest()
        if expected[key] and digest != expected[key]:
            yield f"{key} is damaged"
    yield from (f"the folder {path} is empty" for path in root.rglob("*") if path.is_dir() and not any(path.iterdir()))
    yield from (f"{path} is left in scratch" for path in (data / "scratch").iterdir())


def wrong_logs(logs: Iterable[Path]) -> Iterator[str]:
    """Lines that only a fault of the service writes: errors, and tracebacks that nobody put into a line."""
    for path in logs:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                yield f"{path.name}: {line}"
            else:
                if told["level"] in {"error", "critical"}:
                    yield f"{path.name}: {line[:2000]}"


def states(database: Database) -> dict[str, int]:
    with database.reading() as session:
        jobs = session.scalars(select(Job)).all()
        n_versions = len(session.scalars(select(Version)).all())
    return dict(Counter(f"jobs {job.state}" for job in jobs)) | {"versions": n_versions}
