"""Rows of Parquet -> their texts. The library is an extra: `pip install 'wordkin[parquet]'`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from app.core.errors import BadRecord, reason
from app.core.extras import load_pyarrow
from app.core.text.formats import Parquet
from app.core.text.rows import Rows

BATCH_ROWS = 1024
MOST_GROUP_BYTES = 1 << 30
"""Of one column in one group of rows, unpacked: the library may hold all of it."""


class ParquetRows(Rows):
    """Rows of a Parquet file, by batches.

    Parameters
    ----------
    format : which column holds the text
    file : the whole file, which can seek
    """

    _format: Parquet

    def __init__(self, format: Parquet, file: IO[bytes]) -> None:  # noqa: A002 (what a spec calls it)
        super().__init__(format)
        self._file = file

    def __iter__(self) -> Iterator[str]:
        library = load_pyarrow("pyarrow.parquet")
        try:
            opened = library.ParquetFile(self._file)
            yield from self._texts(opened)
        except BadRecord:
            raise
        except (OSError, ValueError, NotImplementedError, MemoryError) as error:  # the library's own are among them
            raise BadRecord(f"The Parquet file cannot be read: {reason(error)}.") from error

    def _texts(self, opened: Any) -> Iterator[str]:
        schema = opened.metadata.schema
        self.names = [schema.column(i).path.removesuffix(".list.element") for i in range(len(schema))]
        wanted = self._format.column
        if wanted not in self.names:
            raise BadRecord(f"There is no column {wanted!r}. {self._there_is()}", names=self.names)
        self._check_groups(opened.metadata, self.names.index(wanted))
        first, *inside = wanted.split(".") if wanted not in opened.schema_arrow.names else [wanted]
        for batch in opened.iter_batches(batch_size=BATCH_ROWS, columns=[wanted]):
            for value in batch.column(first).to_pylist():
                self.n_rows += 1
                self._n_lines = self.n_rows
                text = _text(value, inside)
                if text is None:
                    self._bad("is null or no text")
                else:
                    yield text

    def _check_groups(self, metadata: Any, column: int) -> None:
        for group in range(metadata.num_row_groups):
            n_bytes = metadata.row_group(group).column(column).total_uncompressed_size
            if n_bytes > MOST_GROUP_BYTES:
                raise BadRecord(
                    f"The row group {group} has {n_bytes} bytes in {self._format.column!r}, more than "
                    f"{MOST_GROUP_BYTES}; write the file with smaller row groups.",
                    limit_bytes=MOST_GROUP_BYTES,
                )


def _text(value: Any, inside: list[str]) -> str | None:
    """A text, or a list of tokens as one."""
    for name in inside:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return value if isinstance(value, str) else None
