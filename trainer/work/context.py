"""What a kind of job works with, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core import names
from app.core.storage import Storage
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.ending import Ending
from trainer.steps.progress import Progress, Report
from trainer.work.checkpoints import PHASES, StorageCheckpoints
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
    ending: Ending = field(default_factory=Ending)


def context_of(order: Order, storage: Storage, teller: Teller, ending: Ending) -> Context:
    claim, scratch = order.claim, Path(order.scratch)
    checkpoints = None
    if order.checkpoint_seconds:
        key = names.checkpoint_key(claim.job_id)
        checkpoints = StorageCheckpoints(storage, key, scratch, order.checkpoint_seconds, ending)

    def report(phase: str) -> Report:
        """What ends here when the process is asked to, unless it will do so when it has saved where it is."""
        tell, ends_by_itself = teller.report(phase), checkpoints is not None and phase in PHASES

        def check_and_tell(progress: Progress) -> None:
            if not ends_by_itself:
                ending.check()
            tell(progress)

        return check_and_tell

    return Context(
        job_id=claim.job_id,
        attempt=claim.attempt,
        model=claim.model,
        storage=storage,
        prefix=order.prefix,
        scratch=scratch,
        threads=order.threads,
        report=report,
        expect=teller.expect,
        checkpoints=checkpoints,
        ending=ending,
    )
