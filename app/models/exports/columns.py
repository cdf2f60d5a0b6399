"""Parquet and Arrow: the columns ``word``, ``count`` where counts are known, and ``vector``, float32 of one length.

The library is an extra, which decides the bytes of a Parquet file: an `ETag` must stand for its release, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.core.extras import load_pyarrow
from app.models.exports.pieces import Pieces
from app.models.exports.selection import Block, Selection

GROUP_NUMBERS = 1 << 20
"""Numbers of a group of rows: 4 MB, so that a reader can take some rows, and a file of 3 million has not too many."""


def release() -> str:
    """Which release of the library writes; raises `ExtraMissing`."""
    return f"pyarrow {load_pyarrow().__version__}"


def write_parquet(selection: Selection) -> Iterator[bytes]:
    """Groups of rows, not compressed: of the digits of vectors little can be saved."""
    library, pieces, schema = load_pyarrow("pyarrow.parquet"), Pieces(), _schema(selection)
    writer = library.ParquetWriter(
        pieces, schema, compression="NONE", use_dictionary=False, write_statistics=["word", "count"]
    )
    return _written(selection, schema, writer, pieces)


def write_arrow(selection: Selection) -> Iterator[bytes]:
    """Arrow's file for random access, which is also called Feather."""
    library, pieces, schema = load_pyarrow("pyarrow.ipc"), Pieces(), _schema(selection)
    return _written(selection, schema, library.new_file(pieces, schema), pieces)


def _written(selection: Selection, schema: Any, writer: Any, pieces: Pieces) -> Iterator[bytes]:
    for block in selection.blocks(GROUP_NUMBERS):
        writer.write_batch(_batch(block, schema))
        yield pieces.taken()
    writer.close()
    yield pieces.taken()


def _schema(selection: Selection) -> Any:
    arrow = load_pyarrow()
    columns = [arrow.field("word", arrow.string(), nullable=False)]
    if selection.counts_known:
        columns.append(arrow.field("count", arrow.int64(), nullable=False))
    number = arrow.field("element", arrow.float32(), nullable=False)
    columns.append(arrow.field("vector", arrow.list_(number, selection.dim), nullable=False))
    return arrow.schema(columns)


def _batch(block: Block, schema: Any) -> Any:
    arrow = load_pyarrow()
    columns = [arrow.array(block.words, arrow.string())]
    if block.counts is not None:
        columns.append(arrow.array(block.counts))
    numbers = arrow.array(block.vectors.reshape(-1))
    columns.append(arrow.FixedSizeListArray.from_arrays(numbers, type=schema.field("vector").type))
    return arrow.record_batch(columns, schema=schema)
