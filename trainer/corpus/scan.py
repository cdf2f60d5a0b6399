"""First pass: text -> types with counts, and a file of type ids for each thread."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from trainer.corpus.blocks import BlockReader
from trainer.corpus.types import TypeTable, new_seed
from trainer.kernels.text.plain import write_plain
from trainer.steps.arrays import Ids
from trainer.steps.crew import Crew
from trainer.steps.disk import write_all

MAX_ARENA_BYTES = 1 << 28
"""Types that are longer than this together leave memory even if they are few."""
_MAX_TOKENS = 1 << 31  # a table counts in 32 bits

Full = TypeVar("Full")
"""What is kept of a table that is full."""


@dataclass(frozen=True)
class Segment:
    """Where the type ids of one block are, and which types they number."""

    block: int
    table: int
    path: Path
    start: int
    n_ids: int

    def read(self) -> Ids:
        return np.fromfile(self.path, np.int32, self.n_ids, offset=4 * self.start)


class Scanner(Generic[Full]):
    """Scans the blocks of one corpus with several threads, each with a table of its own.

    Parameters
    ----------
    reader : hands out the blocks
    folder : receives the ids, and full tables
    threads : how many scan
    max_types : so many stay in memory; a thread that has its share of them puts its table aside and starts another
    put_aside : makes of a full table, and its number, what is kept of it
    becomes : what the bytes of plain text become before it is scanned (see `TextReader.bytes_of_plain`), if anything

    `tokens_per_second` is how many types were counted, in the time until the last block; None before that.
    """

    def __init__(
        self,
        reader: BlockReader,
        folder: Path,
        threads: int,
        max_types: int,
        put_aside: Callable[[TypeTable, int], Full],
        becomes: bytes | None = None,
    ) -> None:
        self._reader = reader
        self._put_aside = put_aside
        self._becomes = np.frombuffer(becomes, np.uint8) if becomes else None
        self._folder = folder
        self._threads = threads
        self._max_types = max(max_types // threads, 1)
        self._max_bytes = MAX_ARENA_BYTES // threads
        self._lock = threading.Lock()
        self._seed = new_seed()
        self._tables: list[TypeTable | Full] = []
        self._started = time.monotonic()
        self._n_tokens = 0
        self.tokens_per_second: float | None = None

    def run(self, tick: Callable[[], None]) -> list[Segment]:
        """Scan everything, segments in corpus order; `tick` is called about twice a second and may raise to end it."""
        paths = [self._folder / f"scan-{i}.ids" for i in range(self._threads)]
        with Crew(self._threads, tick) as crew:
            parts = list(crew.in_order(lambda path: self._scan(path, crew), paths))
        return sorted(itertools.chain(*parts), key=lambda segment: segment.block)

    def take_tables(self) -> tuple[dict[int, Full], dict[int, TypeTable]]:
        """The tables by number: what is kept of full ones, and those in memory; the scanner forgets them."""
        aside: dict[int, Full] = {}
        in_memory: dict[int, TypeTable] = {}
        for number, table in enumerate(self._tables):
            if isinstance(table, TypeTable):
                in_memory[number] = table
            else:
                aside[number] = table
        self._tables.clear()
        return aside, in_memory

    def _scan(self, path: Path, crew: Crew) -> list[Segment]:
        segments: list[Segment] = []
        number, table = self._new_table()
        buffer = self._reader.new_buffer()
        ids = np.empty(buffer.size + 1, np.int32)
        start = 0
        with path.open("wb", buffering=0) as file:
            while not crew.is_stopping and (block := self._reader.read(buffer)):
                if self._becomes is not None:
                    write_plain(buffer, block.end, self._becomes, self._reader.max_type_bytes)
                n_before = table.n_tokens
                n_ids = table.scan(buffer, block.end, ids)
                self._count(table.n_tokens - n_before)
                write_all(file, ids[:n_ids])
                segments.append(Segment(block.number, number, path, start, n_ids))
                start += n_ids
                if self._is_full(table):
                    self._tables[number] = self._put_aside(table, number)
                    number, table = self._new_table()
        return segments

    def _count(self, n_tokens: int) -> None:
        with self._lock:
            self._n_tokens += n_tokens
            self.tokens_per_second = self._n_tokens / max(time.monotonic() - self._started, 1e-9)

    def _new_table(self) -> tuple[int, TypeTable]:
        table = TypeTable(self._reader.max_type_bytes, seed=self._seed)
        with self._lock:
            self._tables.append(table)
            return len(self._tables) - 1, table

    def _is_full(self, table: TypeTable) -> bool:
        return len(table) >= self._max_types or table.n_bytes >= self._max_bytes or table.n_tokens >= _MAX_TOKENS
