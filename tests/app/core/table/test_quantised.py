"""Vectors in fewer bytes: rows are those of their codes, and answers those of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.nearest import exact, scores
from app.core.table.arrays import misfit
from app.core.table.quantised import ENCODINGS, Encoding, Quantised, encoded, quantise
from app.core.table.reading import open_table
from app.core.table.stored import StoredTable
from benchmarks.quality import unit_rows
from tests.published import random_vectors, write_version

BOTH = pytest.mark.parametrize("encoding", ENCODINGS)


@BOTH
def test_rows_are_their_codes_at_length_one(encoding: Encoding) -> None:
    codes = quantise(unit_rows(random_vectors(300, 12)), encoding)
    assert codes.dtype == encoding
    rows = Quantised(codes)
    numbers = codes.astype(np.float64)
    expected = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    np.testing.assert_allclose(rows[:], expected, atol=1e-7)
    np.testing.assert_array_equal(rows[np.array([[5, 2], [0, 299]])], rows[:][np.array([[5, 2], [0, 299]])])
    np.testing.assert_array_equal(rows[7], rows[:][7])
    assert (len(rows), rows.shape, rows.size) == (300, (300, 12), 3600)


def test_the_largest_number_of_each_row_is_127_and_none_is_off_by_more_than_half_a_step() -> None:
    unit = unit_rows(random_vectors(50, 8))
    codes = quantise(unit, "int8")
    assert set(np.abs(codes.astype(int)).max(axis=1)) == {127}
    steps = np.abs(unit).max(axis=1, keepdims=True) / 127
    assert (np.abs(codes * steps - unit) <= steps * 0.5001).all()


@BOTH
def test_answers_are_exactly_those_of_the_rows(encoding: Encoding) -> None:
    rows = Quantised(quantise(unit_rows(random_vectors(5000, 10)), encoding))
    directions = unit_rows(random_vectors(7, 10, seed=3)).astype(np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ids, found = exact.nearest(rows, directions, 9)
    cosines = scores.rounded((rows[:].astype(np.float64)[None] * directions[:, None]).sum(axis=2))
    order = np.lexsort((np.broadcast_to(np.arange(5000), cosines.shape), -cosines), axis=-1)[:, :9]
    np.testing.assert_array_equal(ids, order)
    np.testing.assert_array_equal(found, np.take_along_axis(cosines, order, axis=1))


@BOTH
def test_a_table_of_codes_is_opened_and_read_in_parts(tmp_path: Path, encoding: Encoding) -> None:
    written = write_version(tmp_path, [f"w{i}" for i in range(60)], random_vectors(60, 16), encoding=encoding)
    table = open_table(tmp_path, written.sha256)
    name = ENCODINGS[encoding]
    assert table.manifest.arrays is not None
    assert "unit_vectors" not in table.manifest.arrays
    assert table.arrays[name].nbytes == 60 * 16 * (1 if encoding == "int8" else 2)
    assert table.manifest.index.kind == "flat"
    with StoredTable(tmp_path, table.manifest) as stored:
        np.testing.assert_array_equal(stored.unit_rows(20, 31), table.unit_vectors[20:31])
    np.testing.assert_array_equal(table.unit_rows(20, 31), table.unit_vectors[20:31])
    cosines = (table.unit_vectors[:1].astype(np.float64) * table.unit_vectors[table.neighbors.ids[0]]).sum(axis=1)
    np.testing.assert_allclose(table.neighbors.scores[0], cosines, atol=1e-6)


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    write_version(tmp_path, [f"w{i}" for i in range(9)], random_vectors(9, 4), encoding="int8")
    arrays: dict[str, Any] = dict(open_table(tmp_path).arrays)
    assert misfit(arrays, 9, 4) is None
    both = {**arrays, **encoded(unit_rows(random_vectors(9, 4)), None)}
    assert "one of unit_vectors, unit_codes and unit_halves" in str(misfit(both, 9, 4))
    zeros = arrays["unit_codes"].copy()
    zeros[3] = 0
    assert misfit(arrays | {"unit_codes": zeros}, 9, 4) == "unit_codes has a row of zeros"
    del arrays["unit_codes"]
    assert "not []" in str(misfit(arrays, 9, 4))
