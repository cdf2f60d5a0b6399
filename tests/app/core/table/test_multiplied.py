"""Products in blocks are those of all rows at once."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from app.core.table import multiplied as module
from app.core.table.multiplied import multiplied


@pytest.mark.parametrize("in_blocks", [True, False])
@pytest.mark.parametrize("n_directions", [None, 0, 1, 2, 7, 32, 300])
@pytest.mark.parametrize("n_rows", [0, 1, 999, 20_011])
def test_every_row_is_multiplied(
    in_blocks: bool, n_directions: int | None, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_takes_small_ones_as_they_lie", lambda: in_blocks)
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((n_rows, 50), np.float32)
    of_each = generator.standard_normal((50,) if n_directions is None else (n_directions, 50), np.float32)
    out = np.full((n_rows,) if n_directions is None else (n_rows, n_directions), np.nan, np.float32)
    multiplied(rows, of_each.T, out)
    assert np.allclose(out, rows.astype(np.float64) @ of_each.T.astype(np.float64), atol=1e-4)


def test_threads_that_share_a_product_are_given_it_whole() -> None:
    has_kernels = any(library.get("architecture", "").lower() in module.FOR_AVX_512 for library in threadpool_info())
    with threadpool_limits(2, user_api="blas"):
        assert not module._takes_small_ones_as_they_lie()
    with threadpool_limits(1, user_api="blas"):
        assert module._takes_small_ones_as_they_lie() is has_kernels
