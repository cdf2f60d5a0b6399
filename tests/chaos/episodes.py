"""Faults that last for a while, each healed at its time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from random import Random

Fault = Callable[[Random], None]


class Episodes:
    """What is ill now and how it is healed; one fault of a name at a time."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._heals: dict[str, tuple[float, Callable[[], None]]] = {}

    def begin(self, name: str, seconds: float, heal: Callable[[], None]) -> None:
        """It has begun, and is healed after so long; one that had not ended ends before."""
        self._heal(name)
        self._heals[name] = time.monotonic() + seconds, heal
        self.done[name] += 1

    def heal(self, *, at_once: bool = False) -> None:
        """What it is time for."""
        for name, (moment, _) in list(self._heals.items()):
            if at_once or moment <= time.monotonic():
                self._heal(name)

    def _heal(self, name: str) -> None:
        if name in self._heals:
            self._heals.pop(name)[1]()
