"""Second pass: type ids -> word ids, into the file that training reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.corpus.scan import Segment
from trainer.corpus.spelling import Expansion
from trainer.kernels.text import expand as kernels
from trainer.kernels.text.encode import LINE_END
from trainer.steps.arrays import Ids
from trainer.steps.crew import Crew
from trainer.steps.disk import write_all


@dataclass(frozen=True, eq=False)
class Expanded:
    """The word ids of one block; a LINE_END at the start ends a line of an earlier block, if one is open."""

    ids: Ids
    n_tokens: int
    line_open: bool


@dataclass
class Written:
    """What the file holds so far."""

    n_segments: int = 0
    n_tokens: int = 0
    n_lines: int = 0


def write_ids(
    segments: Sequence[Segment],
    expansions: Mapping[int, Expansion],
    path: Path,
    threads: int,
    tick: Callable[[float], None],
) -> Written:
    """Expand all segments in order into one file; `tick` is called with the share that is done, and may raise."""
    written = Written()
    line_open = False

    def expand(segment: Segment) -> Expanded:
        return _expand(segment, expansions[segment.table])

    with path.open("wb", buffering=0) as file, Crew(threads, lambda: tick(written.n_segments / len(segments))) as crew:
        for block in crew.in_order(expand, segments):
            ids = block.ids
            if len(ids) and ids[0] == LINE_END and not line_open:
                ids = ids[1:]
            if len(block.ids):
                line_open = block.line_open
            write_all(file, ids)
            written.n_tokens += block.n_tokens
            written.n_lines += len(ids) - block.n_tokens
            written.n_segments += 1
        tick(1.0)
        if line_open:
            write_all(file, np.array([LINE_END], np.int32))
            written.n_lines += 1
    return written


def _expand(segment: Segment, expansion: Expansion) -> Expanded:
    raw = segment.read()
    single, several = expansion.single, expansion.several
    size = kernels.expanded_size(raw, single, several) if several.size else len(raw)
    out = np.empty(size + 1, np.int32)
    result = np.zeros(3, np.int64)
    kernels.expand(raw, single, several, out, result)
    return Expanded(out[: result[0]], int(result[1]), bool(result[2]))
