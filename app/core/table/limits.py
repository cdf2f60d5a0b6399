"""How much is made of a table before it is published: functions of its size alone, never of a measured time."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.table.manifest import IndexRequest

N_NEIGHBORS = 50
"""Neighbours that are stored of each covered word."""
NEIGHBORS_BYTES = N_NEIGHBORS * 8
"""Of them, their ids and scores."""
ALWAYS_COVERED = 100_000
MOST_PRODUCTS = 1_500_000_000_000
"""Beyond `ALWAYS_COVERED` words, more are covered while covered words x words x dim stays below this."""
BLOCK = 1024
"""Words are covered in multiples of it."""

MOST_SCANNED = 20_000_000
"""Numbers, words x dim, that a scan of each query may read; beyond, a graph is built."""
# On one core of a busy machine 20 million numbers (76 MiB) take 5.5 to 12 ms for a single query and 1.1 to
# 1.7 ms for one of 16 together; 40 million take 14 and 2.3 ms, 10 million 2.7 and 0.6 ms.
MIN_RECALL = 0.998
"""What other services' graphs find of words' neighbours as they are set up by default (0.999 to 1 at 400,000 x 100)."""


def n_covered(n_words: int, dim: int) -> int:
    """How many words the neighbour table covers, in whole blocks."""
    wanted = max(ALWAYS_COVERED, MOST_PRODUCTS // (n_words * dim))
    return min(n_words, -(-wanted // BLOCK) * BLOCK)


@dataclass(frozen=True)
class IndexLimits:
    """What decides how a table is searched: `requested` "exact" or "graph" by itself, "auto" with the other two."""

    requested: IndexRequest = "auto"
    most_scanned: int = MOST_SCANNED
    min_recall: float = MIN_RECALL

    def wants_graph(self, n_numbers: int) -> bool:
        """Whether a graph is tried for a table of so many numbers."""
        return self.requested == "graph" or (self.requested == "auto" and n_numbers > self.most_scanned)
