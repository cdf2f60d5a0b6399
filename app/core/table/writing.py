"""Writes ``table.safetensors``; index and manifest come after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from app.core.table.arrays import Arrays, FloatArray, misfit
from app.core.table.manifest import TABLE_FILE
from app.core.table.quantised import stored_as

BLOCK = 1 << 14
"""Rows that are worked on at a time: a table may take most of the memory."""


def normalise(vectors: FloatArray, out: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Return float32 unit vectors (n_words, dim), in `out` if given, and norms (n_words,), taken in float64."""
    norms = np.empty(len(vectors))
    unit = np.empty(vectors.shape, np.float32) if out is None else out
    for start in range(0, len(vectors), BLOCK):
        rows = slice(start, start + BLOCK)
        norms[rows] = np.sqrt(np.einsum("ij,ij->i", vectors[rows], vectors[rows], dtype=np.float64))
        unit[rows] = vectors[rows] / norms[rows, None]
    return unit, norms.astype(np.float32)


def write_arrays(folder: Path, arrays: Arrays) -> None:
    """Write ``table.safetensors``, or raise `ValueError` if the arrays are no table."""
    n_words, dim = arrays[stored_as(arrays)].shape
    if wrong := misfit(arrays, n_words, dim):
        raise ValueError(wrong)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / TABLE_FILE)
    (folder / TABLE_FILE).chmod(0o644)  # the library keeps files to their owner, but others serve this one
