"""What a space would have for words that it lacks, by what other spaces have for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.table.arrays import FloatArray
from trainer.deriving.working import BLOCK, DoubleArray

RIDGE = 3.0
"""The penalty, for rows of length 1."""
# Of 0.01 to 100, what left the most variance of 1,000 held-out words explained, between a skip-gram and a token table,
# learnt from 100 to 20,000 words; 10 is as good. With 300 words 0.01 is worse than the mean alone.
Bools = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]


class Imputed(NamedTuple):
    """Rows that were filled: to which space, given which others, how many, and the words that it was learnt from.

    `explained` is the share of the variance among these words.
    """

    to: int
    given: list[int]
    n_rows: int
    n_shared: int
    explained: float


class _Fit(NamedTuple):
    """y = (x - mean of x) B + mean of y."""

    coefficients: DoubleArray
    given_mean: DoubleArray
    mean: DoubleArray
    explained: float


def impute(joined: FloatArray, columns: Sequence[slice], known: Bools) -> list[Imputed]:
    """Fill what words lack, by ridge regression from all that they have (Hoerl and Kennard 1970), in place.

    An estimate is shorter than a row, the less is known of it, so that it counts less in a cosine.

    Parameters
    ----------
    joined : float32 (n_words, dim), the spaces' rows beside each other, changed
    columns : of each space
    known : bool (n_words, n_spaces), which words each has; every word is in one of them

    Returns
    -------
    list of Imputed
        one for each space and each set of spaces that words have which it lacks

    Raises
    ------
    StepImpossible
        Two spaces have no word in common.
    """
    done = []
    for pattern in np.unique(known, axis=0):
        rows = np.flatnonzero((known == pattern).all(axis=1))
        given = np.flatnonzero(pattern)
        inputs = np.r_[*(columns[i] for i in given.tolist())]
        for space in np.flatnonzero(~pattern).tolist():
            shared = np.flatnonzero(known[:, given].all(axis=1) & known[:, space])
            if not len(shared):
                raise StepImpossible("Versions have no word in common; nothing says what one would have for the other.")
            fit = _fit(joined, shared, inputs, columns[space])
            for some in _blocks(rows):
                estimated = (_part(joined, some, inputs) - fit.given_mean) @ fit.coefficients + fit.mean
                joined[some, columns[space]] = estimated
            done.append(Imputed(space, given.tolist(), len(rows), len(shared), fit.explained))
    return done


def _fit(joined: FloatArray, rows: Ids, inputs: Ids, outputs: slice) -> _Fit:
    given_mean, mean = (
        np.sum([_part(joined, some, place).sum(axis=0) for some in _blocks(rows)], axis=0) / len(rows)
        for place in (inputs, outputs)
    )
    moment, product, total = np.zeros((len(inputs), len(inputs))), np.zeros((len(inputs), len(mean))), 0.0
    for some in _blocks(rows):
        x, y = _part(joined, some, inputs) - given_mean, _part(joined, some, outputs) - mean
        moment += x.T @ x
        product += x.T @ y
        total += float((y * y).sum())
    coefficients = np.asarray(np.linalg.solve(moment + RIDGE * np.eye(len(inputs)), product), np.float64)
    missed = total - 2 * (coefficients * product).sum() + (coefficients * (moment @ coefficients)).sum()
    return _Fit(coefficients, given_mean, mean, float(1 - missed / total) if total else 1.0)


def _blocks(rows: Ids) -> Iterator[Ids]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]


def _part(joined: FloatArray, rows: Ids, columns: Ids | slice) -> DoubleArray:
    return joined[rows][:, columns].astype(np.float64)
