"""Measures of bias by how groups of words lie to others. Lengths count in some, which have other values then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.evaluation.bias.rows import Rows, cosines, of_length_1
from app.core.evaluation.statistics import spearman


def ect(x: Rows, y: Rows, attributes: Rows) -> float:
    """Embedding Coherence Test (Dev and Phillips 2019): do two groups order attributes alike?

    Spearman's correlation of cos(a, mean(x)) and cos(a, mean(y)) over attributes a; 1 is no bias. The means are of
    the rows as given: with rows of length 1 the value is another one.

    Parameters
    ----------
    x, y, attributes : float32 or float64 (n_words, dim) each

    Returns
    -------
    float from -1 to 1
    """
    means = np.stack([rows.mean(axis=0, dtype=np.float64) for rows in (x, y)])
    of_x, of_y = cosines(means, attributes)
    return float(spearman(of_x, of_y))


def rnd(x: Rows, y: Rows, attributes: Rows) -> float:
    """Relative Norm Distance (Garg et al. 2018): which group's mean attributes are nearer to.

    The mean over attributes a of |a - mean(x)| - |a - mean(y)|; the paper sums. 0 is no bias, below 0 is nearer to x.
    Lengths count: with rows of length 1 even the sign may differ.

    Parameters
    ----------
    x, y, attributes : float32 or float64 (n_words, dim) each

    Returns
    -------
    float
    """
    others = attributes.astype(np.float64)
    far = [np.linalg.norm(others - rows.mean(axis=0, dtype=np.float64), axis=1) for rows in (x, y)]
    return float((far[0] - far[1]).mean())


def mac(targets: Sequence[Rows], attributes: Sequence[Rows]) -> float:
    """Mean Average Cosine distance (Manzini et al. 2019): 1 less the mean cosine of targets and attributes.

    The mean is taken over the words of each attribute set, then over all target words and sets. 1 is no bias.

    Parameters
    ----------
    targets, attributes : sets of vectors of any length, float32 or float64 (n_words, dim) each

    Returns
    -------
    float from 0 to 2
    """
    far = [1 - cosines(rows, others).mean(axis=1) for rows in targets for others in attributes]
    return float(np.concatenate(far).mean())


def ripa(pairs: Rows, rows: Rows) -> float:
    """Relational Inner Product Association (Ethayarajh, Duvenaud and Hirst 2019).

    The mean of <w, (x - y) / |x - y|> over words w and pairs (x, y). The length of w counts, in which its frequency is.

    Parameters
    ----------
    pairs : float32 or float64 (n_pairs, 2, dim), no two vectors of a pair equal
    rows : float32 or float64 (n_words, dim)

    Returns
    -------
    float
        Above 0 where words lie toward the first words of the pairs.
    """
    both = pairs.astype(np.float64)
    return float((rows.astype(np.float64) @ of_length_1(both[:, 0] - both[:, 1]).T).mean())
