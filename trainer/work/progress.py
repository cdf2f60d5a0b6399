"""How far a whole job is, from what its process says."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from app.core.jobs import JobProgress
from trainer.work.messages import Advanced


class Overall:
    """The progress of one attempt; it never goes back, and what a phase does not measure stays as it was."""

    def __init__(self) -> None:
        self.moved_at = monotonic()
        self.now: JobProgress | None = None
        self._last: Advanced | None = None

    def take(self, message: Advanced) -> None:
        if self._last is None or message.place != self._last.place:
            self.moved_at = monotonic()
        self._last = message
        before = self.now or JobProgress(message.phase, 0.0)
        self.now = JobProgress(
            message.phase,
            max(before.progress, message.progress),
            message.eta_seconds,
            before.measures | message.measures,
            message.step,
            before.history if message.history is None else message.history,
        )

    def written(self) -> None:
        """What is known is in the database; the history need not be written again."""
        if self.now:
            self.now = replace(self.now, history=None)

    def still_seconds(self) -> float:
        """For how long nothing has moved."""
        return monotonic() - self.moved_at
