"""The step that gives words to come a vector: rows of n-grams that reproduce the table (fit_subwords)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.steps import FitSubwords
from app.core.table.arrays import FloatArray
from app.core.table.parts import Ngrams, Parts
from app.core.text.ngrams import spelled
from trainer.deriving.working import Facts, Sources, Working
from trainer.kernels.vectors.subwords import joined, listed_ngrams, mean_rows, spread_rows

HELD_OUT = 10
"""Every tenth word, by rank, is left out of the fit that is measured."""
ITERATIONS = 20
# On glove.6B.50d (20,000 words) 10, 20, 40 and 60 give held-out words a cosine of 0.538, 0.549, 0.549 and 0.549.
MAX_BYTES = 256
"""Longer words are not cut into n-grams."""


class Incidence(NamedTuple):
    """The n-grams of some words: those of word i are ``columns[offsets[i]:offsets[i + 1]]``; int64, int32."""

    offsets: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]

    def of(self, words: npt.NDArray[np.int64]) -> Incidence:
        """The same of these words alone."""
        lengths = np.diff(self.offsets)[words]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        shifts = self.offsets[words] - offsets[:-1]
        places = np.arange(offsets[-1]) + np.repeat(shifts, lengths)
        return Incidence(offsets, self.columns[places])


def fit_subwords(work: Working, step: FitSubwords, _: Sources) -> Facts:
    """Rows z of n-grams, whose mean over a word's n-grams is near to its vector x: bags of subwords (Zhao et al. 2018).

    Minimised is the sum over words of |mean - x|^2, and `ridge` |z|^2, by conjugate gradients.

    Raises
    ------
    StepImpossible
        Words that were left out are not met well enough, or there are parts already.
    """
    if work.parts is not None:
        raise StepImpossible(f"These words have {work.parts.composition.kind} already that others are composed of.")
    ngrams = Ngrams.of(step)
    usable, listed = incidence_of(work.words[: step.max_words], ngrams)
    if len(usable) < HELD_OUT:
        raise StepImpossible(f"{len(usable)} words have n-grams of {step.min_n} to {step.max_n} letters; too few.")
    keys, columns = np.unique(listed.columns, return_inverse=True)
    listed = Incidence(listed.offsets, columns.astype(np.int32))
    vectors = work.vectors[usable]
    held_out = np.arange(len(usable)) % HELD_OUT == HELD_OUT - 1
    cosine, n_held_out, baseline = _measured(listed, vectors, len(keys), held_out, step.ridge)
    facts: Facts = {"mean_cosine": cosine, "min_cosine": step.min_cosine, "baseline": baseline}
    facts |= {"n_held_out": n_held_out, "n_words": len(usable), "n_ngrams": len(keys)}
    if cosine < max(step.min_cosine, baseline):
        raise StepImpossible(
            f"Words that were left out of the fit have a mean cosine of {cosine} to what n-grams compose for them; "
            f"{step.min_cosine} is asked for (`min_cosine`), and the mean of all words alone has {baseline}.",
            **facts,
        )
    work.parts = Parts(ngrams, fitted(listed, vectors, len(keys), step.ridge), keys.astype(np.int32))
    return facts


def incidence_of(words: Sequence[str], ngrams: Ngrams) -> tuple[npt.NDArray[np.int64], Incidence]:
    """The words that have n-grams, by their places, and the bucket of each n-gram."""
    marked = [spelled(word, ngrams.unit).encode() if len(word.encode()) <= MAX_BYTES else b"" for word in words]
    offsets, buckets = listed_ngrams(*joined(marked), ngrams.n_buckets, ngrams.sizes)
    usable = np.flatnonzero(np.diff(offsets))
    return usable, Incidence(offsets, buckets).of(usable)


def fitted(listed: Incidence, vectors: FloatArray, n_rows: int, ridge: float) -> FloatArray:
    """The rows, float32 (n_rows, dim), after `ITERATIONS` of conjugate gradients on the normal equations (CGLS).

    Each dimension has a step size of its own; on one thread, so that the same words give the same rows.

    Parameters
    ----------
    listed : which rows each word has
    vectors : float32 (n_words, dim), what is to be reproduced
    n_rows : of n-grams
    ridge : of the squares of the rows
    """
    rows = np.zeros((n_rows, vectors.shape[1]), np.float32)
    gradient, product, rest = np.empty_like(rows), np.empty_like(vectors), vectors.copy()
    spread_rows(*listed, rest, gradient)
    direction, squares = gradient.copy(), _squares(gradient)
    for _ in range(ITERATIONS):
        mean_rows(*listed, direction, product)
        curvature = _squares(product) + ridge * _squares(direction)
        step = (squares / np.where(curvature > 0, curvature, np.inf)).astype(np.float32)
        rows += step * direction
        rest -= step * product
        spread_rows(*listed, rest, gradient)
        gradient -= np.float32(ridge) * rows
        before, squares = squares, _squares(gradient)
        direction *= (squares / np.where(before > 0, before, np.inf)).astype(np.float32)
        direction += gradient
    return rows


def _measured(
    listed: Incidence, vectors: FloatArray, n_rows: int, held_out: npt.NDArray[np.bool_], ridge: float
) -> tuple[float, int, float]:
    """The mean cosine of words that the fit has not seen, how many have n-grams that it has, and the mean's cosine."""
    seen, unseen = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    known = listed.of(seen)
    rows = fitted(known, vectors[seen], n_rows, ridge)
    is_known = np.zeros(n_rows, bool)
    is_known[known.columns] = True
    others = listed.of(unseen)
    kept = is_known[others.columns]
    lengths = np.add.reduceat(kept, others.offsets[:-1], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths[lengths > 0])])
    composed = np.empty((len(offsets) - 1, vectors.shape[1]), np.float32)
    mean_rows(offsets, others.columns[kept], rows, composed)
    theirs = vectors[unseen[lengths > 0]]
    mean = np.broadcast_to(vectors[seen].mean(axis=0, dtype=np.float64), theirs.shape)
    return _mean_cosine(composed, theirs), len(theirs), _mean_cosine(mean, theirs)


def _squares(rows: FloatArray) -> npt.NDArray[np.float64]:
    """The sum of squares of each column, float64."""
    squares: npt.NDArray[np.float64] = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
    return squares


def _mean_cosine(a: npt.NDArray[np.floating], b: FloatArray) -> float:
    if not len(b):
        return 0.0
    a, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.sqrt((a * a).sum(axis=1) * (b64 * b64).sum(axis=1))
    return float(f"{((a * b64).sum(axis=1) / np.where(lengths > 0, lengths, 1)).mean():.4f}")
