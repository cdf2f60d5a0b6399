"""Many rows times few directions, in the order in which BLAS is quickest."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from app.core.table.arrays import FloatArray

AS_THEY_LIE = 800_000
"""OpenBLAS for AVX-512 copies no matrix into an order of its own where a product takes up to a million steps."""
FEWEST_ROWS = 32
"""In blocks of fewer, more time goes into beginning with each than copying takes."""
FOR_AVX_512 = {"skylakex", "cooperlake", "sapphirerapids"}


def multiplied(rows: FloatArray, directions: FloatArray, out: FloatArray) -> None:
    """float32 products of (n, dim) rows and `directions` (dim, m), or (dim,), into `out`, (n, m) or (n,).

    `rows` and `out` are C-contiguous. The products' last bits depend on the processor and on how
    many rows and directions there are.
    """
    n_in_block = AS_THEY_LIE // max(1, directions.size)
    if directions.ndim == 1 or n_in_block < FEWEST_ROWS or not _takes_small_ones_as_they_lie():
        np.matmul(rows, directions, out=out)
        return
    directions = np.ascontiguousarray(directions)
    whole = len(rows) - len(rows) % n_in_block
    blocks = rows[:whole].reshape(-1, n_in_block, rows.shape[1])
    np.matmul(blocks, directions, out=out[:whole].reshape(len(blocks), n_in_block, directions.shape[1]))
    np.matmul(rows[whole:], directions, out=out[whole:])


def _takes_small_ones_as_they_lie() -> bool:
    """Not while several threads share each product: they do not share small ones."""
    return any(library.num_threads == 1 for library in _for_avx_512())


@cache
def _for_avx_512() -> list[Any]:
    """The OpenBLAS of numpy, if it has such kernels on this processor."""
    libraries = ThreadpoolController().select(internal_api="openblas").lib_controllers
    return [each for each in libraries if each.architecture.lower() in FOR_AVX_512]
