"""Whether vectors are fit to be published."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsCollapsed, VectorsNotFinite

COLLAPSE = 0.9999
"""Mean cosine between words above which vectors say nothing."""


def check_vectors(vectors: npt.NDArray[np.float32]) -> None:
    """Raise `VectorsNotFinite` or `VectorsCollapsed` where a table of vectors cannot be of use."""
    if not np.isfinite(vectors).all():
        raise VectorsNotFinite
    some = vectors[:4096].astype(np.float64)
    norms = np.linalg.norm(some, axis=1, keepdims=True)
    mean = (some / np.maximum(norms, 1e-300)).mean(axis=0)
    if norms.min() == 0 or (len(some) > 2 and mean @ mean > COLLAPSE):
        raise VectorsCollapsed
