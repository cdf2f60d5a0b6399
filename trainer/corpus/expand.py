"""Second pass: type ids -> word ids, into the file that training reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.corpus.files import write_all
from trainer.corpus.scan import Segment
from trainer.corpus.spelling import Expansion
from trainer.corpus.types import Ids
from trainer.kernels.text import expand as kernels
from trainer.kernels.text.encode import LINE_END


@dataclass(frozen=True, eq=False)
class Expanded:
    """The word ids of one block; a LINE_END at the start ends a line of an earlier block, if one is open."""

    ids: Ids
    n_tokens: int
    line_open: bool


@dataclass
class Written:
    n_tokens: int = 0
    n_lines: int = 0


def write_ids(
    segments: Sequence[Segment],
    expansions: Mapping[int, Expansion],
    path: Path,
    threads: int,
    tick: Callable[[float], None],
) -> Written:
    """Expand all segments in order into one file; `tick` is called with the share that is done."""
    written = Written()
    line_open = False
    with path.open("wb", buffering=0) as file:
        for done, block in enumerate(_in_order(segments, expansions, threads), 1):
            ids = block.ids
            if len(ids) and ids[0] == LINE_END and not line_open:
                ids = ids[1:]
            if len(block.ids):
                line_open = block.line_open
            write_all(file, ids)
            written.n_tokens += block.n_tokens
            written.n_lines += len(ids) - block.n_tokens
            tick(done / len(segments))
        if line_open:
            write_all(file, np.array([LINE_END], np.int32))
            written.n_lines += 1
    return written


def _in_order(segments: Sequence[Segment], expansions: Mapping[int, Expansion], threads: int) -> Iterator[Expanded]:
    running: deque[Future[Expanded]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for segment in segments:
            running.append(pool.submit(_expand, segment, expansions[segment.table]))
            if len(running) > 2 * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _expand(segment: Segment, expansion: Expansion) -> Expanded:
    raw = segment.read()
    single, several = expansion.single, expansion.several
    size = kernels.expanded_size(raw, single, several) if several.size else len(raw)
    out = np.empty(size + 1, np.int32)
    result = np.zeros(3, np.int64)
    kernels.expand(raw, single, several, out, result)
    return Expanded(out[: result[0]], int(result[1]), bool(result[2]))
