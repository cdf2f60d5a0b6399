"""What must be true of database and storage once all is quiet."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.core import ownership
from app.core.database import Database
from app.core.jobs import ENDED
from app.core.records import Alias, AliasMove, Corpus, Job, Model, Version
from app.core.storage import Storage
from tests.chaos.clients import Ledger
from tests.chaos.writes import KINDS
from trainer.work.sweep import QUARANTINE, UNKNOWN_GRACE, sweep

MAY_FAIL = {
    f"/problems/{slug}"
    for slug in ("worker-lost", "training-crashed", "trainer-broken", "storage-unavailable", "storage-full")
}
"""The problems of a job whose attempts were all killed or could not write. Any other is a fault of the service."""
TRUE_ERRORS = {"storage_refused"}
"""What a process says of an ill world."""
ILL_DISK = tuple(f"[Errno {number}]" for number in KINDS.values())
"""Begins what a process says of a copy that it could not write."""
CANCELLED = "timeout graceful shutdown exceeded"
"""What the server says of a request that waits for an ill world when its process is to end."""
DAY = timedelta(days=1)


def wrong_rows(database: Database, ledger: Ledger) -> Iterator[str]:
    """Corpora and jobs that were lost, versions without their job, numbers that are missing or used twice."""
    with database.reading() as session:
        jobs = {job.id: job for job in session.scalars(select(Job))}
        versions = session.scalars(select(Version)).all()
        models = session.scalars(select(Model)).all()
        moves = session.scalars(select(AliasMove).order_by(AliasMove.revision)).all()
        aliases = {(alias.model, alias.alias): alias.version for alias in session.scalars(select(Alias))}
        digests = {corpus.name: corpus.sha256 for corpus in session.scalars(select(Corpus).order_by(Corpus.revision))}
    for name, digest in ledger.confirmed.items():
        if digests.get(name) != digest:
            yield f"the confirmed corpus {name} is {digests.get(name)}, not {digest}"
    accepted = ledger.accepted.values()
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
    yield from _wrong_aliases(aliases, moves)


def _wrong_aliases(aliases: dict[tuple[str, str], int], moves: Sequence[AliasMove]) -> Iterator[str]:
    revisions = defaultdict(list)
    for move in moves:
        revisions[move.model, move.alias].append(move.revision)
    last = {(move.model, move.alias): move.version for move in moves}
    if last != aliases:
        yield f"the aliases are {aliases} and were last moved to {last}"
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


def wrong_files(database: Database, storage: Storage, data: Path) -> tuple[list[str], int]:
    """Objects that no row names, and rows whose objects are not there or not whole; how many bytes are too many."""
    expected, wrong = _expected(database, storage), []
    found = set(storage.keys(""))
    wrong += [f"{key} is missing" for key in expected.keys() - found]
    for key in found & expected.keys():
        if expected[key] not in {"", _digest(storage, key)}:
            wrong.append(f"{key} is damaged")
    superfluous = {key: sum(map(len, storage.stream(key))) for key in found - expected.keys()}
    wrong += [f"no row names {key}" for key in superfluous]
    n_bytes = sum(superfluous.values())
    for path in data.rglob("*"):
        first, *rest = path.relative_to(data).parts
        if path.is_dir() and first == "storage" and not any(path.iterdir()):
            wrong.append(f"the folder {path} is empty")
        is_known = first in {"storage", "cache"} and "/".join(rest) in expected | superfluous
        if path.is_file() and not is_known:
            wrong.append(f"{path} is left")
            n_bytes += path.stat().st_size
    return wrong, n_bytes


def _expected(database: Database, storage: Storage) -> dict[str, str]:
    """The keys that rows name, each with its digest."""
    expected = {ownership.OWNER_KEY: ""}
    with database.reading() as session:
        expected |= {corpus.key: corpus.sha256 for corpus in session.scalars(select(Corpus))}
        for version in session.scalars(select(Version)):
            expected[f"{version.prefix}/manifest.json"] = version.manifest_sha256
            for name, file in version.manifest["files"].items():
                expected[f"{version.prefix}/{name}"] = file["sha256"]
    return expected


def _digest(storage: Storage, key: str) -> str:
    digest = hashlib.sha256()
    for piece in storage.stream(key):
        digest.update(piece)
    return digest.hexdigest()


def wrong_logs(logs: Iterable[Path]) -> Iterator[str]:
    """Lines that only a fault of the service writes: errors, and tracebacks that nobody put into a line."""
    for path in logs:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                yield f"{path.name}: {line}"
            else:
                is_true = told.get("action") in TRUE_ERRORS or CANCELLED in line
                is_true |= told.get("cause", "").startswith(ILL_DISK)
                if told["level"] in {"error", "critical"} and not is_true:
                    yield f"{path.name}: {line[:2000]}"


def states(database: Database) -> dict[str, int]:
    with database.reading() as session:
        jobs = session.scalars(select(Job)).all()
        n_versions = len(session.scalars(select(Version)).all())
    return dict(Counter(f"jobs {job.state}" for job in jobs)) | {"jobs": len(jobs), "versions": n_versions}
