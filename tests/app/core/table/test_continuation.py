"""What is kept for a training that goes on: read strictly, since it may come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.errors import TableDamaged
from app.core.table.continuation import CONTINUATION_FILE, read_continuation, write_continuation


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    write_continuation(tmp_path, {"output_vectors": rows[:, :3]})
    found = read_continuation(tmp_path, 6, {"output_vectors": 3})
    assert list(found) == ["output_vectors"]
    np.testing.assert_array_equal(found["output_vectors"], rows[:, :3], strict=True)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_continuation(tmp_path, {"output_vectors": np.ones((6, 3), np.float32)})
    for n_words, widths in ((5, {"output_vectors": 3}), (6, {"output_vectors": 4}), (6, {"biases": 3})):
        with pytest.raises(TableDamaged, match="does not hold"):
            read_continuation(tmp_path, n_words, widths)
    write_continuation(tmp_path, {"output_vectors": np.full((6, 3), np.nan, np.float32)})
    with pytest.raises(TableDamaged, match="not finite"):
        read_continuation(tmp_path, 6, {"output_vectors": 3})
    (tmp_path / CONTINUATION_FILE).write_bytes(b"\xff" * 50)
    with pytest.raises(TableDamaged, match="cannot be read"):
        read_continuation(tmp_path, 6, {"output_vectors": 3})
