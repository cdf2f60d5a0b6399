"""Steps that look at mean and covariance: center, remove_components, whiten, reduce."""

from __future__ import annotations

import numpy as np

from app.core.errors import StepImpossible
from app.core.steps import Center, Reduce, RemoveComponents, Weights, Whiten
from trainer.deriving.working import DoubleArray, Facts, Sources, Working

ROUNDING = 1e-6
"""Of the length of what is subtracted: float32 numbers say no more."""
SMALLEST_VARIANCE = 1e-10
"""Of the largest one: directions with less are no directions of these vectors."""


def center(work: Working, step: Center, _: Sources) -> Facts:
    mean = mean_of(work, step.weights)
    subtract(work, mean)
    return {"mean_length": _rounded(float(np.sqrt(mean @ mean)))}


def remove_components(work: Working, step: RemoveComponents, _: Sources) -> Facts:
    """x - mean - sum of <x - mean, u> u over the first principal directions u."""
    dim = work.vectors.shape[1]
    if step.n >= dim:
        raise StepImpossible(f"Vectors of {dim} dimensions have nothing left without {step.n} components.", n=step.n)
    subtract(work, mean_of(work, step.weights))
    variances, directions = principal(work, step.weights)
    removed = directions[:, : step.n]
    for rows, block in work.blocks():
        work.vectors[rows] = block - (block @ removed) @ removed.T
    work.move_parts(lambda block: block - (block @ removed) @ removed.T)
    return {"removed_variance": _rounded(variances[: step.n].sum() / variances.sum())}


def whiten(work: Working, step: Whiten, _: Sources) -> Facts:
    """(x - mean) U / sqrt(variances); with frequencies as weights the expectation is over the text's tokens."""
    subtract(work, mean_of(work, step.weights))
    variances, directions = principal(work, step.weights)
    n = int(np.count_nonzero(variances > SMALLEST_VARIANCE * variances[0]))
    matrix = directions[:, :n] / np.sqrt(variances[:n])
    transform(work, matrix)
    return {"largest_variance_over_smallest": _rounded(variances[0] / variances[n - 1]), "dim": n}


def reduce(work: Working, step: Reduce, _: Sources) -> Facts:
    """x V, V the first right singular vectors of all vectors, not centered: any prefix is the best of its length."""
    return reduce_to(work, step.dim)


def reduce_to(work: Working, dim: int) -> Facts:
    """The same for any step."""
    if dim > work.vectors.shape[1]:
        raise StepImpossible(f"{work.vectors.shape[1]} dimensions cannot be reduced to {dim}.", dim=dim)
    squares, directions = principal(work, "uniform")
    transform(work, directions[:, :dim])
    return {"kept_square_sum": _rounded(squares[:dim].sum() / squares.sum())}


def mean_of(work: Working, weights: Weights) -> DoubleArray:
    """The weighted mean, float64 (dim,)."""
    frequencies = work.frequencies(weights)
    return np.asarray(sum(frequencies[rows] @ block for rows, block in work.blocks()), np.float64)


def subtract(work: Working, vector: DoubleArray) -> None:
    """Subtract from each; what is left of a vector by rounding alone becomes zeros."""
    least = ROUNDING * float(np.sqrt(vector @ vector))
    for rows, block in work.blocks():
        rest = block - vector
        rest[np.sqrt((rest * rest).sum(axis=1)) <= least] = 0
        work.vectors[rows] = rest
    work.move_parts(lambda block: block - vector)


def principal(work: Working, weights: Weights) -> tuple[DoubleArray, DoubleArray]:
    """Eigenvalues (dim,) and eigenvectors (dim, dim) of E[x x^T], the largest first, signs fixed.

    Raises
    ------
    StepImpossible
        All vectors are zero.
    """
    frequencies = work.frequencies(weights)
    moment = np.asarray(sum((block * frequencies[rows, None]).T @ block for rows, block in work.blocks()), np.float64)
    values, vectors = np.linalg.eigh(moment)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    if not values[0]:
        raise StepImpossible("Nothing is left of the vectors: they were all the same.")
    largest = np.abs(vectors).argmax(axis=0)
    return values, vectors * np.sign(vectors[largest, np.arange(len(largest))])


def transform(work: Working, matrix: DoubleArray) -> None:
    """Each vector becomes x times the matrix, float64 (dim, new dim)."""
    changed = np.empty((len(work.vectors), matrix.shape[1]), np.float32)
    for rows, block in work.blocks():
        changed[rows] = block @ matrix
    work.vectors = changed
    work.move_parts(lambda block: block @ matrix)


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")
