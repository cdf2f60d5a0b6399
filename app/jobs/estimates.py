"""What a job will need, told when it is accepted; one that no trainer can do is refused then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import trainers
from app.core.costs.corpus import expected_tokens
from app.core.costs.needs import Needs, at_least
from app.core.costs.tables import OTHERS, Asked, Size
from app.core.costs.training import needs
from app.core.errors import MemoryShort, StorageFull
from app.core.jobs import JobRequest
from app.core.names import split_reference
from app.core.payloads import KINDS, TrainPayload
from app.core.records import Job, JobState, Version
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.trainers import Capacity
from app.core.vector_files import TextShape
from app.web.space import check_space

MEASURED = 20
"""The last jobs of a kind, of which those that are like this one say how fast trainers are."""
ADVICE = {"train": " Set max_words, or lower dim.", "derive": " Prune it first."}
"""How a kind of job comes to need less."""


def with_estimate(
    session: Session, request: JobRequest, read: TextShape | None, settings: Settings, storage: Storage
) -> JobRequest:
    """The request of a job with what it is expected to need, as far as that is known.

    `read` is how large the table of its file is, if it has one and that shows at its beginning.

    Raises
    ------
    MemoryShort, StorageFull
        No trainer that is known has enough, or storage has not.
    """
    capacity = trainers.largest(session)
    threads = capacity.threads if capacity else settings.trainer_threads
    payload = KINDS[request.kind].model_validate(request.payload)
    if isinstance(payload, TrainPayload):
        n_tokens = _n_tokens(payload, request.cost)
        needed = needs(payload, n_tokens, threads)
        like = [payload.algorithm]
        least = at_least(needed)._replace(disk_bytes=4 * n_tokens)  # the first pass writes a number for each token
    else:
        made = Size(read.n_words, read.dim) if read and read.n_words else None
        needed, like = OTHERS[request.kind](Asked(payload, made, _sizes(session, request), threads))
        least = at_least(needed)
    if capacity:
        _check_fits(least, capacity, ADVICE.get(request.kind, ""))
    check_space(storage, settings, least.storage_bytes or 0)
    measured = _measured(session, request.kind, like)
    ratio = median(measured) if measured else 1.0 if request.kind == "train" else None
    told = {"seconds": None if ratio is None else round(needed.seconds * ratio, 1), "measured_jobs": len(measured)}
    noted = {"formula_seconds": needed.seconds, "like": like}
    return replace(request, estimate=needed._asdict() | told | noted)


def _sizes(session: Session, request: JobRequest) -> dict[str, Size]:
    """Of the versions that a job reads."""
    found = {}
    for name in request.versions or ():
        model, number = split_reference(name)
        manifest = session.get_one(Version, (model, int(number or 0))).manifest
        found[name] = Size(manifest["n_words"], manifest["dim"], is_plain=not manifest.get("composition"))
    return found


def _measured(session: Session, kind: str, like: Sequence[str]) -> list[float]:
    """How much longer the last jobs took than the formulas had said, a first one that compiles kernels among them."""
    query = select(Job.estimate, Job.started_at, Job.finished_at)
    query = query.where(Job.state == JobState.SUCCEEDED, Job.kind == kind, Job.attempts == 1)
    return [
        (finished_at - started_at).total_seconds() / estimate["formula_seconds"]
        for estimate, started_at, finished_at in session.execute(
            query.order_by(Job.created_at.desc(), Job.id.desc()).limit(MEASURED)
        )
        if estimate and estimate.get("like") == like and started_at and finished_at
    ]


def _n_tokens(payload: TrainPayload, cost: int | None) -> int:
    """Tokens of the corpus, which the cost was made of."""
    chosen = payload.hyperparameters
    if cost is None or not {"epochs", "dim"} <= chosen.keys():
        return expected_tokens(payload.corpus.n_bytes)
    return int(cost // (chosen["epochs"] * chosen["dim"] * payload.replicas))


def _check_fits(least: Needs, largest: Capacity, advice: str) -> None:
    memory_bytes, disk_bytes = least.memory_bytes or 0, least.disk_bytes or 0
    if largest.memory_bytes is not None and memory_bytes > largest.memory_bytes:
        raise MemoryShort(
            f"The job needs at least {memory_bytes:,} bytes of memory; the largest trainer has "
            f"{largest.memory_bytes:,}.{advice}",
            needed_bytes=memory_bytes,
            available_bytes=largest.memory_bytes,
        )
    if largest.disk_bytes is not None and disk_bytes > largest.disk_bytes:
        raise StorageFull(
            f"The job needs at least {disk_bytes:,} bytes of scratch space; the trainer with most has "
            f"{largest.disk_bytes:,} free.",
            needed_bytes=disk_bytes,
            free_bytes=largest.disk_bytes,
        )
