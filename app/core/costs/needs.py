"""What a job is expected to need, and how much of that is certain."""

from __future__ import annotations

from typing import NamedTuple

CERTAIN_SHARE = 0.5
"""Of the memory and storage that are expected; what a corpus or a file turns out to be may need half of it."""


class Needs(NamedTuple):
    """Seconds, and bytes of memory, of scratch space, and of the version in storage; None is not known."""

    seconds: float
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    storage_bytes: int | None = None


def at_least(expected: Needs) -> Needs:
    """What is needed in any case."""
    return Needs(0.0, *(None if n is None else int(CERTAIN_SHARE * n) for n in expected[1:]))
