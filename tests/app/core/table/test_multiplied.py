"""Products in blocks are those of all rows at once."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.table import multiplied as module
from app.core.table.multiplied import multiplied


@pytest.mark.parametrize("in_blocks", [True, False])
@pytest.mark.parametrize("n_directions", [None, 0, 1, 2, 7, 32, 300])
@pytest.mark.parametrize("n_rows", [0, 1, 999, 20_011])
def test_every_row_is_multiplied(
    in_blocks: bool, n_directions: int | None, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_multiplies_small_ones_as_they_lie", lambda: in_blocks)
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((n_rows, 50), np.float32)
    of_each = generator.standard_normal((50,) if n_directions is None else (n_directions, 50), np.float32)
    out = np.full((n_rows,) if n_directions is None else (n_rows, n_directions), np.nan, np.float32)
    multiplied(rows, of_each.T, out)
    assert np.allclose(out, rows.astype(np.float64) @ of_each.T.astype(np.float64), atol=1e-4)
