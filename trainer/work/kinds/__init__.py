"""The kinds of job by name: each takes its payload and the context of the attempt, and ends with a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.work.context import Context
from trainer.work.kinds import derive, imported, train
from trainer.work.messages import Finishes, Publishes

KINDS: dict[str, Callable[[Any, Context], Publishes | Finishes]] = {
    "train": train.run,
    "import": imported.run,
    "derive": derive.run,
}
"""Each is given its kind's payload, as `app.core.payloads.KINDS` has it."""
