"""What a kind of job works with, whatever it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from app.core import names
from app.core.storage import Storage
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.progress import Progress, Report
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.messages import Advanced, Order

Phases = dict[str, tuple[float, float]]
"""The share of a whole job that each phase spans, from where to where."""


@dataclass(frozen=True)
class Context:
    """One attempt of a job. `report(phase)` gives the report of a phase, which begins with that call."""

    job_id: str
    attempt: int
    model: str | None
    storage: Storage
    prefix: str
    scratch: Path
    threads: int
    report: Callable[[str], Report]
    checkpoints: Checkpoints | None


def context_of(order: Order, storage: Storage, phases: Phases, connection: Connection) -> Context:
    claim, scratch = order.claim, Path(order.scratch)
    checkpoints = None
    if order.checkpoint_seconds:
        key = names.checkpoint_key(claim.job_id)
        checkpoints = StorageCheckpoints(storage, key, scratch, order.checkpoint_seconds)

    def report_of(phase: str) -> Report:
        start, end = phases[phase]

        def report(progress: Progress) -> None:
            fraction = start + (end - start) * min(max(progress.fraction, 0.0), 1.0)
            measures = {name: value for name, value in asdict(progress).items() if value is not None}
            del measures["fraction"]
            connection.send(Advanced(phase, fraction, measures))

        report(Progress(0.0))
        return report

    return Context(
        claim.job_id, claim.attempt, claim.model, storage, order.prefix, scratch, order.threads, report_of, checkpoints
    )
