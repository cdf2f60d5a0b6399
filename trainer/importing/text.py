"""Text of vectors, as word2vec, GloVe and fastText write it: a word and its numbers a line, perhaps a header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.table.arrays import FloatArray
from app.core.vector_files import HEAD_BYTES, TextShape, text_shape
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.source import Source, check_shape
from trainer.kernels.vectors.parse import (
    NO_NUMBER,
    NOT_FINITE,
    READ,
    TO_BE_READ_SLOWLY,
    TOO_FEW,
    TOO_MANY,
    parse_rows,
)
from trainer.steps.crew import Crew

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 64 << 20
_WRONG = {
    TOO_FEW: "fewer numbers than other rows",
    TOO_MANY: "more numbers than other rows",
    NO_NUMBER: "something that is no number",
    NOT_FINITE: "a number that is not finite",
}


class _Block(NamedTuple):
    """Whole lines of the file, and the number of the first."""

    content: bytes
    first_line: int


class _Parsed(NamedTuple):
    block: _Block
    line_starts: npt.NDArray[np.int64]
    line_ends: npt.NDArray[np.int64]
    word_ends: npt.NDArray[np.int64]
    vectors: FloatArray
    states: npt.NDArray[np.int8]
    places: npt.NDArray[np.int64]


def read_text(source: Source) -> Collected:
    """Read all rows, on all threads.

    Raises
    ------
    VectorsUnreadable
        With the line.
    """
    with source.path.open("rb") as file:
        shape = text_shape(file.read(HEAD_BYTES))
    n_rows = _count_lines(source.path, shape.n_header_bytes)
    check_shape(n_rows, shape.dim)
    collector = Collector(n_rows, shape.dim, source.policies, source.reader, "line")
    n_done = 0
    with Crew(source.threads) as crew:
        for parsed in crew.in_order(lambda block: _parse(block, shape.dim), _blocks(source.path, shape)):
            collector.take(_checked(parsed, collector, source.policies.bad_rows))
            n_done += len(parsed.block.content)
            source.advance(n_done)
    source.check_header(shape.n_words, collector.n_rows)
    return collector.finish()


def _count_lines(path: Path, start: int) -> int:
    """Lines from there on that are not empty at the end of the file."""
    n_lines, last = 0, b"\n"
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK_BYTES):
            n_lines += block.count(b"\n")
            last = block[-1:]
    return n_lines + (last != b"\n")


def _blocks(path: Path, shape: TextShape) -> Iterator[_Block]:
    line = 1 if shape.n_words is None else 2
    with path.open("rb") as file:
        file.seek(shape.n_header_bytes)
        rest = b""
        while piece := file.read(BLOCK_BYTES):
            cut = piece.rfind(b"\n") + 1
            if not cut:
                rest += piece
                if len(rest) > MAX_LINE_BYTES:
                    raise VectorsUnreadable(f"Line {line} has more than {MAX_LINE_BYTES} bytes.", line=line)
                continue
            content = rest + piece[:cut]
            yield _Block(content, line)
            line += content.count(b"\n")
            rest = piece[cut:]
        if rest.strip():
            yield _Block(rest + b"\n", line)


def _parse(block: _Block, dim: int) -> _Parsed:
    content = np.frombuffer(block.content, np.uint8)
    ends = np.flatnonzero(content == 10)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    n = len(ends)
    vectors, states = np.empty((n, dim), np.float32), np.empty(n, np.int8)
    word_ends, places = np.empty(n, np.int64), np.empty(n, np.int64)
    parse_rows(content, starts, ends, vectors, word_ends, states, places)
    return _Parsed(block, starts, ends, word_ends, vectors, states, places)


def _checked(parsed: _Parsed, collector: Collector, policy: str) -> Batch:
    """The rows that could be read."""
    content, first = parsed.block
    is_read = parsed.states == READ
    for row in np.flatnonzero(~is_read).tolist():
        is_read[row] = _read_again(parsed, row, collector, policy)
    rows = np.flatnonzero(is_read)
    starts, ends = parsed.line_starts[rows].tolist(), parsed.word_ends[rows].tolist()
    words = [content[start:end] for start, end in zip(starts, ends, strict=True)]
    vectors = parsed.vectors if len(rows) == len(is_read) else parsed.vectors[rows]
    return Batch(words, vectors, (rows + first).tolist())


def _read_again(parsed: _Parsed, row: int, collector: Collector, policy: str) -> bool:
    """Read a row digit by digit where its rounding needs that; else note what is wrong. True: it is read now."""
    content, first = parsed.block
    line = content[parsed.line_starts[row] : parsed.line_ends[row]]
    state, dim = int(parsed.states[row]), parsed.vectors.shape[1]
    if state == TO_BE_READ_SLOWLY:
        parsed.vectors[row] = np.array(line.split()[-dim:], np.float64)
        return True
    if line.strip():
        collector.n_rows += 1
        word = line.split(maxsplit=1)[0].decode(errors="replace")
        told = _WRONG[state]
        if state in {NO_NUMBER, NOT_FINITE}:
            field = content[parsed.places[row] : parsed.line_ends[row]].split(maxsplit=1)
            told += f": {field[0][:40].decode(errors='replace')!r}" if field else ""
        elif state == TOO_FEW:
            told += f", which have {dim}"
        collector.leave_out(told if policy == "error" else _WRONG[state], word, first + row, policy)
    return False
