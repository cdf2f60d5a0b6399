"""What a kind of job works with, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core import names
from app.core.storage import Storage
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.progress import Report
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.forecast import Step
from trainer.work.messages import Order
from trainer.work.telling import Teller


@dataclass(frozen=True)
class Context:
    """One attempt of a job.

    `report(phase)` gives the report of a phase, which begins with that call; `expect` is told how many seconds the
    steps ahead will take, all of them, as soon as that can be known.
    """

    job_id: str
    attempt: int
    model: str | None
    storage: Storage
    prefix: str
    scratch: Path
    threads: int
    report: Callable[[str], Report]
    expect: Callable[[Mapping[Step, float]], None]
    checkpoints: Checkpoints | None


def context_of(order: Order, storage: Storage, teller: Teller) -> Context:
    claim, scratch = order.claim, Path(order.scratch)
    checkpoints = None
    if order.checkpoint_seconds:
        key = names.checkpoint_key(claim.job_id)
        checkpoints = StorageCheckpoints(storage, key, scratch, order.checkpoint_seconds)
    return Context(
        job_id=claim.job_id,
        attempt=claim.attempt,
        model=claim.model,
        storage=storage,
        prefix=order.prefix,
        scratch=scratch,
        threads=order.threads,
        report=teller.report,
        expect=teller.expect,
        checkpoints=checkpoints,
    )
