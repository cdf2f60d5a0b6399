"""What a worker gets of the queue. It knows no database: the process of a job, which has none, is given it, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Claim:
    """A job and the right to write to it."""

    job_id: str
    token: str
    attempt: int
    kind: str
    model: str | None
    payload: dict[str, Any]
    retries: int = 0
    """How often it was put off before."""
