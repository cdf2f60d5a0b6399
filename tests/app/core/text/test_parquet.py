"""Rows of Parquet: texts and lists of tokens, nested ones too, and rows without text counted."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.core.errors import BadRecord, ExtraMissing
from app.core.text import Parquet, TextSpec, parquet
from app.core.text.parquet import ParquetRows
from app.core.text.sample import read_parquet_sample, read_sample

ROWS: list[dict[str, Any]] = [
    {"id": 1, "title": "blue lamp", "tags": ["home", "light"], "maker": {"name": "Acme"}},
    {"id": 2, "title": None, "tags": [], "maker": None},
    {"id": 3, "title": "파란 등", "tags": None, "maker": {"name": "빛"}},
]


def written(rows: list[dict[str, Any]], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer, **options)
    return buffer.getvalue()


def rows_of(content: bytes, column: str, **said: Any) -> ParquetRows:
    return ParquetRows(Parquet(column=column, **said), io.BytesIO(content))


@pytest.mark.parametrize(
    ("column", "texts"),
    [("title", ["blue lamp", "파란 등"]), ("tags", ["home light"]), ("maker.name", ["Acme", "빛"]), ("id", [])],
)
@pytest.mark.parametrize("options", [{}, {"row_group_size": 1, "compression": "zstd"}])
def test_each_row_with_text_gives_it(column: str, texts: list[str], options: dict[str, Any]) -> None:
    rows = rows_of(written(ROWS, **options), column)
    assert list(rows) == texts
    assert (rows.n_rows, rows.n_bad) == (3, 3 - len(texts))
    assert rows.names == ["id", "title", "tags", "maker.name"]


def test_too_many_rows_without_text_are_told_with_the_first_and_the_columns() -> None:
    rows = rows_of(written(ROWS), "title")
    list(rows)
    told = r"1 of 3 rows have no text in 'title'.*line 2 \(is null or no text\).*maker\.name"
    with pytest.raises(BadRecord, match=told):
        rows.check()
    allowing = rows_of(written(ROWS), "title", max_bad_rows=0.5)
    list(allowing)
    allowing.check()


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadRecord, match=r"There is no column 'text'. There are: id, title, tags, maker\.name"):
        list(rows_of(written(ROWS), "text"))


@pytest.mark.parametrize("cut", [4, 30, -1])
def test_a_file_that_is_damaged_says_so(cut: int) -> None:
    with pytest.raises(BadRecord, match="The Parquet file cannot be read"):
        list(rows_of(written(ROWS)[:cut], "title"))


def test_a_column_that_memory_should_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MOST_GROUP_BYTES", 10)
    with pytest.raises(BadRecord, match="smaller row groups"):
        list(rows_of(written(ROWS), "title"))


def test_without_the_library_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'wordkin\[parquet\]'"):
        list(rows_of(written(ROWS), "title"))


def test_a_sample_has_the_first_lines() -> None:
    content = written([{"t": f"word{i} second"} for i in range(50_000)])
    spec = TextSpec.model_validate({"format": {"kind": "parquet", "column": "t"}})
    sample = read_parquet_sample(io.BytesIO(content), spec, n_lines=2)
    assert sample.lines == [["word0", "second"], ["word1", "second"]]
    assert sample.n_rows == 50_000
    with pytest.raises(BadRecord, match="is a Parquet file; say so with the format 'parquet'"):
        read_sample(content, TextSpec(), is_whole=True)
    with pytest.raises(BadRecord, match="is text, no Parquet file"):
        read_sample(b"some text\n", spec, is_whole=True)


def test_what_pandas_would_write_is_trained_on(tmp_path: Path) -> None:
    from trainer.corpus.encode import encode  # noqa: PLC0415 (compiles kernels)

    path = tmp_path / "corpus"
    path.write_bytes(written([{"t": "King QUEEN king"}, {"t": None}, {"t": "queen\nking"}] * 50))
    spec = TextSpec.model_validate({"format": {"kind": "parquet", "column": "t", "max_bad_rows": 0.5}})
    corpus = encode(path, tmp_path, spec=spec, min_count=1, threads=1)
    assert corpus.vocabulary.words() == ["king", "queen"]
    assert corpus.vocabulary.counts.tolist() == [150, 100]
    assert (corpus.n_lines, corpus.rows["n_rows"], corpus.rows["n_bad_rows"]) == (150, 150, 50)
