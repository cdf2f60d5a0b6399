"""How a long step tells what it does: one value, one callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.core.history import Epoch


@dataclass(frozen=True, slots=True)
class Progress:
    """State of the step that is running.

    `fraction` goes from 0 to 1 within the step, which `step` names where a phase has several; `tokens_per_second` is
    the speed of a training, or of the reading before it. `loss` is a mean per prediction in nats (GloVe: mean weighted
    squared error per cell); `held_out_loss` the same on the fixed sample, known after each epoch. `history` has all
    epochs that have ended, and is told when one has. `left_out` is a later step of the phase that will not be taken.
    """

    fraction: float
    tokens_per_second: float | None = None
    loss: float | None = None
    held_out_loss: float | None = None
    epoch: int | None = None
    step: str | None = None
    left_out: str | None = None
    history: tuple[Epoch, ...] | None = None


Report = Callable[[Progress], None]
"""Called from the thread that started the step, at least about once a second. What it raises ends the step."""


def within(report: Report, first: float, last: float) -> Report:
    """The report of a part of a step, which takes the step from one fraction to another."""

    def tell(progress: Progress) -> None:
        report(replace(progress, fraction=first + (last - first) * progress.fraction))

    return tell


def ignore(progress: Progress) -> None:
    """A report that does nothing."""
