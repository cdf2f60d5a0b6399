"""Writes ``table.safetensors``; index and manifest come after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from app.core.table.arrays import Contents, FloatArray
from app.core.table.manifest import TABLE_FILE


def normalise(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return float32 unit vectors (n_words, dim) and norms (n_words,); lengths are taken in float64."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    unit = vectors / norms[:, None]
    return unit.astype(np.float32), norms.astype(np.float32)


def write_table(folder: Path, contents: Contents) -> None:
    """Write ``table.safetensors``; the index and the manifest come after it."""
    vocabulary, neighbors = contents.vocabulary, contents.neighbors
    arrays = {
        "unit_vectors": contents.unit_vectors,
        "norms": contents.norms,
        "counts": vocabulary.counts,
        "word_bytes": vocabulary.word_bytes,
        "word_offsets": vocabulary.word_offsets,
        "neighbor_ids": neighbors.ids,
        "neighbor_scores": neighbors.scores,
        "word_slots": contents.word_slots,
        "word_order": contents.word_order,
        "text_component": contents.text_component,
    }
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / TABLE_FILE)
    (folder / TABLE_FILE).chmod(0o644)  # the library keeps files to their owner, but others serve this one
