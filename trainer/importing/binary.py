"""Binary vectors as word2vec writes them: a header, and for each word its bytes, a space and float32 numbers."""

from __future__ import annotations

import numpy as np

from app.core.errors import VectorsUnreadable
from app.core.names import MAX_WORD_BYTES
from app.core.vector_files import HEAD_BYTES, TextShape, binary_header
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.source import Source, check_shape
from trainer.kernels.vectors.parse import cut_records

BLOCK_BYTES = 4 << 20


def read_binary(source: Source) -> Collected:
    """Read all records.

    Raises
    ------
    VectorsUnreadable
        With the byte.
    """
    with source.path.open("rb", buffering=0) as file:
        shape = binary_header(file.read(HEAD_BYTES))
        n_words, row_bytes = shape.n_words or 0, 4 * shape.dim
        n_rows = _rows_that_fit(shape, source)
        check_shape(n_rows, shape.dim)
        collector = Collector(n_rows, shape.dim, source.policies, source.reader, "byte")
        file.seek(shape.n_header_bytes)
        block = np.empty(max(BLOCK_BYTES, row_bytes + MAX_WORD_BYTES + 2), np.uint8)
        rows_at_once = len(block) // (row_bytes + 2)
        starts, spelled = np.empty(rows_at_once, np.int64), np.empty_like(block)
        n_held, position, n_done = 0, shape.n_header_bytes, 0
        while n_done < n_rows:
            n_read = file.readinto(block.data[n_held:])
            n_held += n_read
            vectors = collector.room(min(rows_at_once, n_rows - n_done))
            n, cut, n_spelled = cut_records(block, n_held, vectors.view(np.uint8), starts, spelled)
            if not n:
                if n_read and n_held < len(block):
                    continue
                raise _broken(block[:n_held].tobytes(), position, shape.dim)
            words = spelled[: n_spelled - 1].tobytes().split(b" ")
            collector.take(Batch(words, vectors[:n], (starts[:n] + position).tolist()))
            block[: n_held - cut] = block[cut:n_held].copy()
            n_held -= cut
            position += cut
            n_done += n
            source.advance(position)
        rest = bytes(block[:n_held]).strip(b"\n") or file.read(1)
    if (n_done < n_words or rest) and source.policies.header == "error":
        told = f"{source.n_bytes - position} bytes follow" if rest else f"there are {n_done}"
        raise VectorsUnreadable(f"The header promises {n_words} words; {told}.", byte=position)
    return collector.finish()


def _rows_that_fit(shape: TextShape, source: Source) -> int:
    """How many rows the header promises, or as many as there can be if a lie is to be ignored."""
    n_words, needed = shape.n_words or 0, 4 * shape.dim + 2
    left = source.n_bytes - shape.n_header_bytes
    if n_words * needed > left and source.policies.header == "error":
        raise VectorsUnreadable(
            f"The header promises {n_words} words of {shape.dim} numbers, which need {n_words * needed} bytes; {left} "
            "follow. The file was cut, or it is of another format.",
            byte=0,
        )
    return min(n_words, left // needed)


def _broken(rest: bytes, position: int, dim: int) -> VectorsUnreadable:
    """What is wrong with a record that begins with these bytes."""
    position += rest.startswith(b"\n")
    is_word = b" " in rest[: MAX_WORD_BYTES + 2] or len(rest) < MAX_WORD_BYTES
    told = "the file ends before they do" if is_word else f"there is no space in {MAX_WORD_BYTES} bytes"
    return VectorsUnreadable(f"At byte {position} a word and {dim} numbers should begin; {told}.", byte=position)
