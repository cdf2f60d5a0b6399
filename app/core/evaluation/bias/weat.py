"""The Word Embedding Association Test, of two sets of words and of single ones.

Caliskan, Bryson and Narayanan, "Semantics derived automatically from language corpora" (2017).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from app.core.evaluation.bias.permutation import N_DRAWN, Alternative, PermutationTest, permutation_test
from app.core.evaluation.bias.rows import Rows, cosines
from app.core.nearest.scores import DoubleArray

Deviation = Literal["n-1", "n"]
"""What a sum of squares is divided by for the standard deviation."""
MIN_TARGETS = 6
"""Smaller sets of targets reach no p below 1 in 252, and say what their few words say (Ethayarajh et al. 2019)."""
N_BOOTSTRAP = 2000
PERCENTILES = (2.5, 97.5)


class Weat(NamedTuple):
    """`statistic` is the sum of s over X less that over Y, `mean_difference` the same of means, which is tested."""

    statistic: float
    mean_difference: float
    effect_size: float
    test: PermutationTest


class Cosines(NamedTuple):
    """Cosines of targets X and Y, one a row, with attributes A and B; float64 each.

    All that the test needs of the vectors.
    """

    x_a: DoubleArray
    x_b: DoubleArray
    y_a: DoubleArray
    y_b: DoubleArray

    @classmethod
    def of(cls, x: Rows, y: Rows, a: Rows, b: Rows) -> Cosines:
        """Of vectors of any length, float32 or float64 (n_words, dim) each."""
        return cls(cosines(x, a), cosines(x, b), cosines(y, a), cosines(y, b))

    @property
    def x(self) -> DoubleArray:
        """s(w) of the targets X: the mean cosine with A less that with B; float64 (n_x,)."""
        return np.asarray(self.x_a.mean(axis=1) - self.x_b.mean(axis=1))

    @property
    def y(self) -> DoubleArray:
        """The same of Y."""
        return np.asarray(self.y_a.mean(axis=1) - self.y_b.mean(axis=1))


def weat(
    found: Cosines,
    *,
    deviation: Deviation = "n-1",
    alternative: Alternative = "greater",
    n_drawn: int = N_DRAWN,
    seed: int = 0,
) -> Weat:
    """How much closer targets X are to attributes A than to B, compared with targets Y.

    Sets may have different sizes: means are compared, not sums.

    Parameters
    ----------
    found : Cosines
    deviation : of the effect size; the paper's numbers are those of "n-1"
    alternative, n_drawn, seed : of the test, see `permutation_test`

    Returns
    -------
    Weat
    """
    x, y = found.x, found.y
    test = permutation_test(x, y, alternative, n_drawn=n_drawn, seed=seed)
    effect = effect_size(x, y, deviation)
    return Weat(float(x.sum() - y.sum()), float(x.mean() - y.mean()), effect, test)


def effect_size(x: DoubleArray, y: DoubleArray, deviation: Deviation = "n-1") -> float:
    """(mean(x) - mean(y)) / the standard deviation of both together; 0 where all numbers are equal.

    Parameters
    ----------
    x, y : float64 (n_x,), (n_y,)
    deviation : "n-1" for that of a sample, "n" for that of a population
    """
    spread = float(np.concatenate([x, y]).std(ddof=deviation == "n-1"))
    return float(x.mean() - y.mean()) / spread if spread > 0 else 0.0


def single_category(with_a: DoubleArray, with_b: DoubleArray, deviation: Deviation = "n-1") -> DoubleArray:
    """SC-WEAT: the effect size of each word alone, (mean cosine with A - that with B) / deviation over A and B.

    Parameters
    ----------
    with_a, with_b : cosines of words with attributes, float64 (n_words, n_a), (n_words, n_b)
    deviation : as of `effect_size`

    Returns
    -------
    float64 (n_words,), 0 where a word has the same cosine with all
    """
    spread = np.concatenate([with_a, with_b], axis=1).std(axis=1, ddof=deviation == "n-1")
    apart = with_a.mean(axis=1) - with_b.mean(axis=1)
    return np.asarray(np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0))


def interval(
    found: Cosines, deviation: Deviation = "n-1", *, n_draws: int = N_BOOTSTRAP, seed: int = 0
) -> tuple[float, float]:
    """Where the effect size lies with 95 % confidence, if the words of all four sets were drawn from many such words.

    Percentiles of a bootstrap: each draw takes as many words of each set as it has, with replacement.

    Parameters
    ----------
    found : Cosines
    deviation : as of `effect_size`
    n_draws, seed : of the bootstrap

    Returns
    -------
    low, high : float
    """
    generator = np.random.default_rng(seed)
    of_a = _weights(found.x_a.shape[1], n_draws, generator)
    of_b = _weights(found.x_b.shape[1], n_draws, generator)
    x, y = of_a @ found.x_a.T - of_b @ found.x_b.T, of_a @ found.y_a.T - of_b @ found.y_b.T
    x = np.take_along_axis(x, generator.integers(x.shape[1], size=x.shape), axis=1)
    y = np.take_along_axis(y, generator.integers(y.shape[1], size=y.shape), axis=1)
    spread = np.concatenate([x, y], axis=1).std(axis=1, ddof=deviation == "n-1")
    apart = x.mean(axis=1) - y.mean(axis=1)
    sizes = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
    low, high = np.percentile(sizes, PERCENTILES)
    return float(low), float(high)


def _weights(n: int, n_draws: int, generator: np.random.Generator) -> DoubleArray:
    """The shares that `n` words have in draws with replacement, float64 (n_draws, n)."""
    return np.asarray(generator.multinomial(n, np.full(n, 1 / n), size=n_draws) / n)
