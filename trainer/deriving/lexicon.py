"""The step that looks at a lexicon: retrofit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.steps import Retrofit
from trainer.deriving.working import Facts, Sources, Working, unit
from trainer.kernels.vectors.retrofit import sweep


def retrofit(work: Working, step: Retrofit, sources: Sources) -> Facts:
    """q_i = (n_i x_i + sum of q_j) / 2 n_i over the n_i neighbours j of each word, as unit vectors (alpha_i = n_i).

    Faruqui's program does the same in the order of its lexicon; here words are in the order of their frequency.
    """
    neighbors, offsets = _neighbors(sources.files[step.lexicon], work, sources)
    n_moved = int(np.count_nonzero(np.diff(offsets)))
    if not n_moved:
        raise StepImpossible(f"No word of {step.lexicon} and a neighbour of it are among these words.")
    vectors = unit(work.vectors.astype(np.float64))
    original = vectors.copy()
    changes = [sweep(original, neighbors, offsets, vectors) for _ in range(step.sweeps)]
    work.vectors = vectors.astype(np.float32)
    return {
        "n_words_moved": n_moved,
        "n_pairs": len(neighbors),
        "changes": [float(f"{np.sqrt(change / n_moved):.3g}") for change in changes],
    }


def _neighbors(path: Path, work: Working, sources: Sources) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ids of each word's neighbours, one after the other and rising, and where each word's begin."""
    ids = {word: i for i, word in enumerate(work.words)}
    found: dict[int, set[int]] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            listed = [ids.get(sources.reader.folded(word)) for word in line.split()]
            if len(listed) > 1 and listed[0] is not None:
                near = {other for other in listed[1:] if other is not None and other != listed[0]}
                found.setdefault(listed[0], set()).update(near)
    offsets = np.zeros(len(work.words) + 1, np.int64)
    for word, near in found.items():
        offsets[word + 1] = len(near)
    together = [other for word in sorted(found) for other in sorted(found[word])]
    return np.array(together, np.int64), np.cumsum(offsets)
