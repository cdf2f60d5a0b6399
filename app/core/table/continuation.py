"""What a version keeps beside its table so that a training can go on from it: rows of words that are not published.

It is a file of its own among the resources: serving verifies it and never has it in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from app.core.errors import TableDamaged
from app.core.hyperparameters import Hyperparameters
from app.core.table.arrays import Arrays, FloatArray
from app.core.table.manifest import RESOURCES, Manifest, TrainedOrigin

CONTINUATION_FILE = f"{RESOURCES}/continuation.safetensors"


def is_continued_by(manifest: Manifest, algorithm: str, chosen: Hyperparameters) -> bool:
    """Whether the rows that the version keeps mean to such a training what they meant to its own."""
    origin = manifest.origin
    return (
        CONTINUATION_FILE in manifest.files
        and isinstance(origin, TrainedOrigin)
        and origin.algorithm == algorithm
        and all(origin.hyperparameters.get(name) == getattr(chosen, name) for name in chosen.meaning_of_rows)
    )


def write_continuation(folder: Path, arrays: Arrays) -> None:
    """Write the file into the folder of a version, before its manifest."""
    path = folder / CONTINUATION_FILE
    path.parent.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    path.chmod(0o644)


def read_continuation(folder: Path, n_words: int, widths: Mapping[str, int]) -> dict[str, FloatArray]:
    """The arrays of these names, float32 (n_words, width).

    Raises
    ------
    TableDamaged
        They are not what the file holds: it may come from elsewhere.
    """
    try:
        found = load_file(folder / CONTINUATION_FILE)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise TableDamaged(f"{CONTINUATION_FILE} cannot be read.") from error
    shapes = {name: (array.dtype, array.shape) for name, array in found.items()}
    if shapes != {name: (np.dtype(np.float32), (n_words, width)) for name, width in widths.items()}:
        raise TableDamaged(f"{CONTINUATION_FILE} does not hold {sorted(widths)} of {n_words} words.")
    if not all(np.isfinite(array).all() for array in found.values()):
        raise TableDamaged(f"{CONTINUATION_FILE} has numbers that are not finite.")
    return found
