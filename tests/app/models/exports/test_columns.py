"""Parquet and Arrow, read back by pyarrow."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from app.core.table.arrays import FloatArray
from app.core.table.reading import open_table
from app.models.exports import columns
from app.models.exports.formats import FORMATS
from app.models.exports.selection import Chosen, Selection
from tests.app.models.exports.conftest import DIM, WORDS, exported
from tests.published import vocabulary_of, write_version

FORMS = ("parquet", "arrow")


def read_back(form: str, content: bytes) -> Any:
    """The table that pyarrow finds."""
    if form == "arrow":
        return ipc.open_file(pa.py_buffer(content)).read_all()
    return parquet.read_table(io.BytesIO(content))


def matrix(table: Any) -> Any:
    """The column of vectors as rows."""
    return table["vector"].combine_chunks().values.to_numpy().reshape(len(table), -1)


@pytest.mark.parametrize("form", FORMS)
def test_words_counts_and_vectors_come_back(client: httpx.Client, vectors: FloatArray, form: str) -> None:
    table = read_back(form, exported(client, form))
    assert [(field.name, str(field.type), field.nullable) for field in table.schema] == [
        ("word", "string", False),
        ("count", "int64", False),
        ("vector", f"fixed_size_list<element: float not null>[{DIM}]", False),
    ]
    assert table["word"].to_pylist() == WORDS
    assert table["count"].to_pylist() == vocabulary_of(WORDS).counts.tolist()
    assert matrix(table).tobytes() == vectors.tobytes()
    few = read_back(form, exported(client, form, words="top:3"))
    assert few.equals(table.slice(0, 3))


@pytest.mark.parametrize("form", FORMS)
def test_rows_come_in_groups_and_counts_only_where_they_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: Any
) -> None:
    monkeypatch.setattr(columns, "GROUP_NUMBERS", 25)
    words, vectors = [f"w{i}" for i in range(12)], np.arange(1, 61, dtype=np.float32).reshape(12, 5)
    write_version(tmp_path, words, vectors)
    table = open_table(tmp_path)
    table.manifest = table.manifest.model_copy(update={"counts_known": False})
    write = FORMATS[form].write
    assert write is not None
    first, second = (b"".join(write(Selection(table, Chosen()))) for _ in range(2))
    assert first == second
    read = read_back(form, first)
    assert read.column_names == ["word", "vector"]
    assert [len(group) for group in read["word"].chunks] in ([5, 5, 2], [12])  # of Parquet, chunks may be put together
    if form == "parquet":
        groups = parquet.ParquetFile(io.BytesIO(first)).metadata
        assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [5, 5, 2]
    np.testing.assert_allclose(matrix(read), vectors, rtol=2.4e-7)
    assert read["word"].to_pylist() == words


def test_without_the_library_the_command_that_installs_it_is_named(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for form in FORMS:
        refused = client.get("/models/m/versions/latest/export", params={"format": form})
        assert (refused.status_code, refused.json()["type"]) == (501, "/problems/extra-missing")
        assert "pip install 'wordkin[parquet]'" in refused.json()["detail"]
    assert exported(client, "npz")


def test_the_etag_stands_for_the_release_of_the_library(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"format": "parquet"}
    before = client.head("/models/m/versions/2/export", params=asked).headers["etag"]
    assert client.head("/models/m/versions/2/export", params=asked).headers["etag"] == before
    monkeypatch.setattr(pa, "__version__", "1000.0")
    assert client.head("/models/m/versions/2/export", params=asked).headers["etag"] != before
