"""The kinds of job by name: each takes its payload and the context of the attempt, and ends with a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainer.work.context import Context, Phases
from trainer.work.kinds import train
from trainer.work.messages import Finishes, Publishes


@dataclass(frozen=True)
class Kind:
    """`run` takes the kind's payload, as `app.core.payloads.KINDS` has it."""

    phases: Phases
    run: Callable[[Any, Context], Publishes | Finishes]


KINDS = {"train": Kind(train.PHASES, train.run)}
