"""The file that is imported, and what all formats ask of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import VectorsUnreadable
from app.core.payloads import RowPolicies
from app.core.text import TextReader
from trainer.steps.memory import check_memory

MAX_DIM = 16_384
MAX_WORDS = 2**31 - 1
COPIES = 1.25
"""Memory that an import takes at its peak, in tables."""


@dataclass(frozen=True)
class Source:
    """A file and how it is read.

    Parameters
    ----------
    path : a local file
    n_bytes : its size
    policies : what becomes of rows that are not as they should be
    reader : folds words as queries will be read
    threads : how many may be used
    told : called with the share that is read, 0 to 1
    vocabulary : a local file with the words, for formats that have none
    """

    path: Path
    n_bytes: int
    policies: RowPolicies
    reader: TextReader
    threads: int
    told: Callable[[float], None]
    vocabulary: Path | None = None

    def advance(self, n_bytes: int) -> None:
        """Say how much has been read."""
        self.told(n_bytes / max(self.n_bytes, 1))

    def check_header(self, promised: int | None, n_rows: int) -> None:
        """Raise `VectorsUnreadable` if a header promises another number of rows, unless that is to be ignored."""
        if promised not in {None, n_rows} and self.policies.header == "error":
            raise VectorsUnreadable(
                f"The header promises {promised} words; the file has {n_rows} rows. Say rows.header: ignore to take "
                "what there is.",
                promised=promised,
                n_rows=n_rows,
            )


def check_shape(n_rows: int, dim: int) -> None:
    """Refuse what no table has, or memory cannot hold, before anything of that size is asked for.

    Raises
    ------
    VectorsUnreadable, MemoryShort
    """
    if not 0 < dim <= MAX_DIM:
        raise VectorsUnreadable(f"Vectors of {dim} numbers; from 1 to {MAX_DIM} are possible.", dim=dim)
    if not 0 < n_rows <= MAX_WORDS:
        raise VectorsUnreadable(f"A table of {n_rows} words; from 1 to {MAX_WORDS} are possible.", n_rows=n_rows)
    table_bytes = n_rows * dim * 4
    check_memory(int(COPIES * table_bytes), f"A table of {n_rows:,} words x {dim}")
