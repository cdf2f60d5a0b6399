"""Whether vectors are fit to be published."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsCollapsed, VectorsNotFinite
from app.core.table.arrays import FloatArray

COLLAPSED_MEAN_COSINE = 0.999
"""Mean cosine of two different words from which on a table tells nothing apart."""
BLOCK = 1 << 11
"""Rows at a time. With 65,536 of them a job's first look took 0.15 s for 68,000 x 100 instead of 0.02, most of it for
pages that the system had to clear."""


def check_vectors(vectors: FloatArray) -> None:
    """Refuse vectors that are not finite, are zero, or all point the same way.

    Parameters
    ----------
    vectors : float32 (n_words, dim), read

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
    """
    is_finite = np.concatenate([np.isfinite(block).all(axis=1) for block in _blocks(vectors)])
    if not is_finite.all():
        broken = int(np.count_nonzero(~is_finite))
        raise VectorsNotFinite(
            f"Training diverged: {broken} of {len(vectors)} vectors are not finite. Lower the learning rate."
        )
    squares = [np.einsum("ij,ij->i", block, block, dtype=np.float64) for block in _blocks(vectors)]
    lengths = np.sqrt(np.concatenate(squares))
    if not lengths.all():
        raise VectorsCollapsed(f"Training collapsed: {int(np.count_nonzero(lengths == 0))} vectors are zero.")
    n_words = len(vectors)
    blocks = zip(_blocks(vectors), _blocks(lengths[:, None]), strict=True)
    total = np.sum([(block / length).sum(axis=0) for block, length in blocks], axis=0)
    # the squared length of the sum holds each pair twice and each word with itself once
    mean_cosine = (float(total @ total) - n_words) / (n_words * (n_words - 1)) if n_words > 1 else 0.0
    if mean_cosine > COLLAPSED_MEAN_COSINE:
        raise VectorsCollapsed(
            f"Two words have a cosine of {mean_cosine:.4f} on average, so nothing tells them apart. Mostly there were "
            "too few steps for this text: take more epochs, the preset small-corpus, or more text."
        )


def _blocks(rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Views of some rows each: a table may take most of the memory."""
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
