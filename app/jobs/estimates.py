"""What a job will need, told when it is accepted; one that no trainer can do is refused then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from statistics import median

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import trainers
from app.core.costs.corpus import expected_tokens
from app.core.costs.training import Needs, at_least, needs
from app.core.errors import MemoryShort, StorageFull
from app.core.jobs import JobRequest
from app.core.payloads import TrainPayload
from app.core.records import Job, JobState
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.trainers import Capacity
from app.web.space import check_space

MEASURED = 20
"""The last trainings, of which those with the same algorithm say how fast trainers are."""


def with_estimate(session: Session, request: JobRequest, settings: Settings, storage: Storage) -> JobRequest:
    """The request of a training with what it is expected to need; other kinds as they are.

    Raises
    ------
    MemoryShort, StorageFull
        No trainer that is known has enough, or storage has not.
    """
    if request.kind != "train":
        return request
    payload = TrainPayload.model_validate(request.payload)
    capacity = trainers.largest(session)
    threads = capacity.threads if capacity else settings.trainer_threads
    n_tokens = _n_tokens(payload, request.cost)
    needed = needs(payload, n_tokens, threads)
    least = at_least(needed, n_tokens)
    if capacity:
        _check_fits(least, capacity)
    check_space(storage, settings, least.storage_bytes)
    measured = list(_measured(session, payload.algorithm, threads))
    ratio = median(measured) if measured else 1.0  # a first training compiles its kernels
    told = needed._asdict() | {"seconds": round(needed.seconds * ratio, 1), "measured_jobs": len(measured)}
    return replace(request, estimate=told)


def _measured(session: Session, algorithm: str, threads: int) -> Iterator[float]:
    """How much longer the last trainings took than the formulas say."""
    query = select(Job.payload, Job.cost, Job.started_at, Job.finished_at)
    query = query.where(Job.state == JobState.SUCCEEDED, Job.kind == "train", Job.attempts == 1)
    for payload, cost, started_at, finished_at in session.execute(
        query.order_by(Job.created_at.desc(), Job.id.desc()).limit(MEASURED)
    ):
        if payload.get("algorithm") != algorithm or not started_at or not finished_at:
            continue
        with suppress(ValidationError):  # of another release
            known = TrainPayload.model_validate(payload)
            expected = needs(known, _n_tokens(known, cost), threads)
            yield (finished_at - started_at).total_seconds() / expected.seconds


def _n_tokens(payload: TrainPayload, cost: int | None) -> int:
    """Tokens of the corpus, which the cost was made of."""
    chosen = payload.hyperparameters
    if cost is None or not {"epochs", "dim"} <= chosen.keys():
        return expected_tokens(payload.corpus.n_bytes)
    return int(cost // (chosen["epochs"] * chosen["dim"] * payload.replicas))


def _check_fits(least: Needs, largest: Capacity) -> None:
    memory_bytes, disk_bytes = least.memory_bytes, least.disk_bytes
    if largest.memory_bytes is not None and memory_bytes > largest.memory_bytes:
        raise MemoryShort(
            f"The training needs at least {memory_bytes:,} bytes of memory; the largest trainer has "
            f"{largest.memory_bytes:,}. Set max_words, or lower dim.",
            needed_bytes=memory_bytes,
            available_bytes=largest.memory_bytes,
        )
    if largest.disk_bytes is not None and disk_bytes > largest.disk_bytes:
        raise StorageFull(
            f"The training needs at least {disk_bytes:,} bytes of scratch space; the trainer with most has "
            f"{largest.disk_bytes:,} free.",
            needed_bytes=disk_bytes,
            free_bytes=largest.disk_bytes,
        )
