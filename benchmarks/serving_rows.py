"""What is asked of every server, and how results are told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import load


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: str
    ours: float
    peer: str
    theirs: float
    unit: str
    ratio: float
    quality: str = ""


def row(case: str, ours: float, peer: str, theirs: float, unit: str, *, less: bool = False, quality: str = "") -> Row:  # noqa: PLR0913 (its columns)
    better, worse = (theirs, ours) if less else (ours, theirs)
    ratio = better / max(worse, 0.01)  # nothing at all came back: JSON has no infinity
    made = Row(case, round(ours, 2), peer, round(theirs, 2), unit, round(ratio, 2), quality)
    print(f"{case:28} {made.ours:>10} {unit:16} {peer:28} {made.theirs:>10} {made.ratio:>7} x  {quality}", flush=True)
    return made


class Questions:
    """The same random words for everybody."""

    def __init__(self, words: Sequence[str], seed: int = 1) -> None:
        plain = [word for word in words if word.isascii() and word.isalnum() and word.lower() == word]
        draw = random.Random(seed)  # noqa: S311 (words, not secrets)
        self.words = draw.choices(plain, k=20_000)
        self.triples = [draw.sample(plain, 3) for _ in range(5_000)]
        self.neighbors = [load.get("/neighbors", word=word, k=10) for word in self.words]

    @property
    def first(self) -> bytes:
        return self.neighbors[0]

    def analogies(self, path: str = "/analogy") -> list[bytes]:
        return [load.get(path, a=a, b=b, c=c) for a, b, c in self.triples]
