"""The kinds of job by name: each takes its payload and the context of the attempt, and ends with a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.work.context import Context
from trainer.work.kinds import classifier, derive, evaluate, imported, train
from trainer.work.messages import Evaluates, Publishes

KINDS: dict[str, Callable[[Any, Context], Publishes | Evaluates]] = {
    "train": train.run,
    "import": imported.run,
    "derive": derive.run,
    "evaluate": evaluate.run,
    "classifier": classifier.run,
}
"""Each is given its kind's payload, as `app.core.payloads.KINDS` has it."""
