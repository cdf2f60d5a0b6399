"""When a training that gets no better stops by itself."""

from __future__ import annotations

from collections.abc import Sequence


def is_stalled(losses: Sequence[float], patience: int | None) -> bool:
    """Whether none of the last `patience` losses is below the best one before them; never without a patience."""
    if patience is None or len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])
