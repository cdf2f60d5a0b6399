"""What is asked of every server."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks import load


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
