"""Whether vectors are fit to be published."""

from __future__ import annotations

import numpy as np

from app.core.errors import VectorsCollapsed, VectorsNotFinite
from app.core.table.arrays import FloatArray

COLLAPSED_MEAN_COSINE = 0.999
"""Mean cosine of two different words from which on a table tells nothing apart."""


def check_vectors(vectors: FloatArray) -> None:
    """Refuse vectors that are not finite, are zero, or all point the same way.

    Parameters
    ----------
    vectors : float32 (n_words, dim), read

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
    """
    if not np.isfinite(vectors).all():
        broken = int(np.count_nonzero(~np.isfinite(vectors).all(axis=1)))
        raise VectorsNotFinite(
            f"Training diverged: {broken} of {len(vectors)} vectors are not finite. Lower the learning rate."
        )
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not lengths.all():
        raise VectorsCollapsed(f"Training collapsed: {int(np.count_nonzero(lengths == 0))} vectors are zero.")
    n_words = len(vectors)
    total = (vectors / lengths[:, None]).sum(axis=0)
    # the squared length of the sum holds each pair twice and each word with itself once
    mean_cosine = (float(total @ total) - n_words) / (n_words * (n_words - 1)) if n_words > 1 else 0.0
    if mean_cosine > COLLAPSED_MEAN_COSINE:
        raise VectorsCollapsed(
            f"Two words have a cosine of {mean_cosine:.4f} on average, so nothing tells them apart. Mostly there were "
            "too few steps for this text: take more epochs, the preset small-corpus, or more text."
        )
