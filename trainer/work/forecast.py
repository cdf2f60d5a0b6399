"""How far a job is and how long it will go on, from what its steps cost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

WINDOW_SECONDS = 30.0
"""A step's speed is that of so long a time until now: a machine that others use too changes its speed."""
TRUSTED_SECONDS = 1.0
"""After so long a time a measured speed replaces what was expected; before, it counts in part."""
UNKNOWN_SHARE = 0.05
"""How far progress comes while nobody knows what is ahead."""
LEAST_LEFT = 0.1
"""Share of the expected time that is left at least, while a step has not told anything."""


class Step(NamedTuple):
    """A part of a job that has a speed of its own: a phase, or a named step of one."""

    phase: str
    name: str | None = None


class Forecast:
    """Progress is the share of the job's time that has passed. It never goes back.

    What is left of a step comes from its own speed, first from what was expected of it; later steps take what is
    expected of them. The time of pauses is none of the job's. Until `expect` nothing is known.

    Parameters
    ----------
    clock : the time in seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._paused_at: float | None = None
        self._paused_seconds = 0.0
        self._ahead: dict[Step, float] | None = None
        self._step: Step | None = None
        self._step_started = self._started
        self._step_expected: float | None = None
        self._samples: deque[tuple[float, float]] = deque()
        self.progress = 0.0
        self.eta_seconds: float | None = None

    def expect(self, seconds: Mapping[Step, float]) -> None:
        """What all steps that have not begun will take, in their order."""
        self._ahead = dict(seconds)

    def leave_out(self, step: Step) -> None:
        """A step that was expected will not be taken."""
        if self._ahead:
            self._ahead.pop(step, None)

    def advance(self, step: Step, fraction: float) -> None:
        """A step has come so far, 0 to 1; the first time that it is named, it begins and all before it have ended."""
        moment, step = self._now(), self._whole(step)
        if step != self._step:
            self._begin(step, moment)
        if fraction > 0:
            self._samples.append((moment, fraction))
            while moment - self._samples[0][0] > WINDOW_SECONDS and len(self._samples) > 2:
                self._samples.popleft()
        here = self._left(fraction, moment)
        if here is None or self._ahead is None:
            self.eta_seconds = None
            self.progress = max(self.progress, UNKNOWN_SHARE * fraction)
            return
        self.eta_seconds = here + sum(self._ahead.values())
        elapsed = moment - self._started
        self.progress = max(self.progress, elapsed / max(elapsed + self.eta_seconds, 1e-9))

    def pause(self) -> None:
        """Stop the clock for something that says nothing about the steps' speeds."""
        if self._paused_at is None:
            self._paused_at = self._clock()

    def go_on(self) -> None:
        """Let the clock run again."""
        if self._paused_at is not None:
            self._paused_seconds += self._clock() - self._paused_at
            self._paused_at = None

    def _now(self) -> float:
        moment = self._clock() if self._paused_at is None else self._paused_at
        return moment - self._paused_seconds

    def _whole(self, step: Step) -> Step:
        """A phase that is named alone is the step of it that runs, or else its first that is expected."""
        known = ([self._step] if self._step else []) + list(self._ahead or ())
        return next((one for one in known if one.phase == step.phase), step) if step.name is None else step

    def _begin(self, step: Step, moment: float) -> None:
        self._step, self._step_started = step, moment
        self._samples.clear()
        self._step_expected = None
        if self._ahead and step in self._ahead:
            self._step_expected = self._ahead[step]
            order = list(self._ahead)
            self._ahead = {later: self._ahead[later] for later in order[order.index(step) + 1 :]}

    def _left(self, fraction: float, moment: float) -> float | None:
        """Seconds of the step that are left, or None if nothing tells."""
        expected = self._expected_left(fraction, moment)
        measured, seconds = self._measured_left()
        if measured is None or expected is None:
            return expected if measured is None else measured
        trust = min(seconds / TRUSTED_SECONDS, 1.0)
        return trust * measured + (1 - trust) * expected

    def _expected_left(self, fraction: float, moment: float) -> float | None:
        if self._step_expected is None:
            return None
        if fraction > 0:
            return self._step_expected * (1 - fraction)
        return max(self._step_expected - (moment - self._step_started), LEAST_LEFT * self._step_expected)

    def _measured_left(self) -> tuple[float | None, float]:
        """By the speed since the oldest sample, and how long ago that was.

        No sample has a fraction of 0, because a step that goes on from a checkpoint jumps ahead at first.
        """
        if not self._samples:
            return None, 0.0
        (first, before), (last, fraction) = self._samples[0], self._samples[-1]
        if fraction <= before or last <= first:
            return None, 0.0
        return (1 - fraction) * (last - first) / (fraction - before), last - first
