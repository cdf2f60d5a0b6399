"""How far a whole job is, from what its process says."""

from __future__ import annotations

import time

from app.core.jobs import JobProgress
from trainer.work.messages import Advanced

ETA_FROM = 0.01
"""Share of a job below which a guess of what is left would be no more than that."""


class Overall:
    """The progress of one attempt; it never goes back, and what a phase does not measure stays as it was."""

    def __init__(self) -> None:
        self._started = self.moved_at = time.monotonic()
        self.now: JobProgress | None = None

    def take(self, message: Advanced) -> None:
        before = self.now or JobProgress(message.phase, -1.0)
        moment = time.monotonic()
        if message.fraction > before.progress:
            self.moved_at = moment
        fraction = max(before.progress, message.fraction)
        elapsed = moment - self._started
        eta = elapsed * (1 - fraction) / fraction if fraction > ETA_FROM else None
        self.now = JobProgress(message.phase, fraction, eta, before.measures | message.measures)

    def still_seconds(self) -> float:
        """For how long nothing has moved."""
        return time.monotonic() - self.moved_at
