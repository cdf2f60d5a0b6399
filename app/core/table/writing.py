"""Writes ``table.safetensors``; index and manifest come after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from app.core.table.arrays import Arrays, FloatArray, misfit
from app.core.table.manifest import TABLE_FILE


def normalise(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return float32 unit vectors (n_words, dim) and norms (n_words,); lengths are taken in float64."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    unit = vectors / norms[:, None]
    return unit.astype(np.float32), norms.astype(np.float32)


def write_arrays(folder: Path, arrays: Arrays) -> None:
    """Write ``table.safetensors``, or raise `ValueError` if the arrays are no table."""
    n_words, dim = arrays["unit_vectors"].shape
    if wrong := misfit(arrays, n_words, dim):
        raise ValueError(wrong)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / TABLE_FILE)
    (folder / TABLE_FILE).chmod(0o644)  # the library keeps files to their owner, but others serve this one
