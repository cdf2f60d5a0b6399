"""Steps that look at other versions: align and combine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.nearest.procrustes import rotation, wide
from app.core.steps import Align, Combine
from app.core.table.arrays import FloatArray
from trainer.deriving.moments import reduce_to, transform
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


def combine(work: Working, step: Combine, sources: Sources) -> Facts:
    """Weighted unit vectors beside each other; their cosine is the mean of the cosines, weighted by squares."""
    tables = [sources.tables[name] for name in step.with_]
    found = [table.vocabulary.ids_of(work.words) for table in tables]
    lacking = {name: int(np.count_nonzero(ids < 0)) for name, ids in zip(step.with_, found, strict=True)}
    if step.vocabulary == "intersection":
        kept = np.flatnonzero(np.all([ids >= 0 for ids in found], axis=0))
        if not len(kept):
            raise StepImpossible("The versions have no word in common.")
        work.keep(kept)
        found = [ids[kept] for ids in found]
    weights = step.weights or [1.0] * (len(tables) + 1)
    dims = [work.vectors.shape[1], *(table.unit_vectors.shape[1] for table in tables)]
    joined = np.empty((len(work.words), sum(dims)), np.float32)
    for rows, block in work.blocks():
        parts = [weights[0] * unit(block)]
        for table, ids, weight in zip(tables, found, weights[1:], strict=True):
            part = table.unit_vectors[np.maximum(ids[rows], 0)].astype(np.float64)
            parts.append(weight * np.where(ids[rows, None] < 0, 0.0, part))
        joined[rows] = np.concatenate(parts, axis=1)
    work.vectors = joined
    facts: Facts = {"n_words": len(work.words), "n_lacking": lacking, "dims": dims}
    return facts if step.dim is None else facts | reduce_to(work, step.dim)
