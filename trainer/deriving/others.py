"""The step that turns vectors onto another version: align."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.nearest.procrustes import rotation, wide
from app.core.steps import Align
from app.core.table.arrays import FloatArray
from trainer.deriving.moments import transform
from trainer.deriving.working import BLOCK, DoubleArray, Facts, Sources, Working, unit

Ids = npt.NDArray[np.int64]


def align(work: Working, step: Align, sources: Sources) -> Facts:
    """x R, R the rotation or reflection that brings shared unit vectors nearest to the other's (Schönemann 1966).

    The smaller of both is filled up with zeros.
    """
    target = sources.tables[step.to]
    theirs = target.vocabulary.ids_of(work.words)
    shared = np.flatnonzero(theirs >= 0)[: step.max_words]
    if not len(shared):
        raise StepImpossible(f"No word of {step.to} is among these words.", to=step.to)
    return rotate(work, shared, target.unit_vectors[theirs[shared]])[0]


def rotate(work: Working, shared: Ids, theirs: FloatArray) -> tuple[Facts, DoubleArray]:
    """The same onto unit vectors (n_shared, dim) that the words of these ids have elsewhere; also R."""
    dim = max(work.vectors.shape[1], theirs.shape[1])
    blocks = (slice(start, start + BLOCK) for start in range(0, len(shared), BLOCK))
    pairs = ((unit(work.vectors[shared[rows]].astype(np.float64)), theirs[rows].astype(np.float64)) for rows in blocks)
    matrix = rotation(pairs, dim)[: work.vectors.shape[1]]
    transform(work, matrix)
    turned = unit(work.vectors[shared].astype(np.float64))
    cosines = (turned * wide(theirs.astype(np.float64), dim)).sum(axis=1)
    return {"n_shared": len(shared), "mean_cosine": float(f"{cosines.mean():.6g}")}, matrix
