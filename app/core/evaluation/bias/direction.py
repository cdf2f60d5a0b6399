"""A direction of bias by pairs of words that define it, and how far other words lie along it.

Bolukbasi, Chang, Zou, Saligrama and Kalai, "Man is to Computer Programmer as Woman is to Homemaker?" (2016).
"""

from __future__ import annotations

import numpy as np

from app.core.evaluation.bias.rows import Rows, of_length_1
from app.core.nearest.scores import DoubleArray


def bias_direction(pairs_rows: Rows) -> tuple[DoubleArray, DoubleArray]:
    """The direction g in which the words of pairs differ most, and the shares of the variance that it and others have.

    g is the first right singular vector of the rows x - (x + y) / 2 and y - (x + y) / 2 of all pairs (x, y).
    It points from the second words of the pairs to the first.

    Parameters
    ----------
    pairs_rows : float32 or float64 (n_pairs, 2, dim)
        As they are: give rows of length 1 for the numbers of the paper.

    Returns
    -------
    direction : float64 (dim,), of length 1
    explained : float64 (min(2 * n_pairs, dim),)
        Shares of the variance, largest first; `explained[0]` is that of `direction`.

    Raises
    ------
    ValueError
        The words of every pair have the same vector.
    """
    pairs = pairs_rows.astype(np.float64)
    apart = pairs - pairs.mean(axis=1, keepdims=True)
    _, sizes, axes = np.linalg.svd(apart.reshape(-1, pairs.shape[2]), full_matrices=False)
    total = float((sizes * sizes).sum())
    if total == 0:
        raise ValueError("the words of every pair have the same vector")
    direction = axes[0]
    if float((apart[:, 0] @ direction).sum()) < 0:
        direction = -direction
    return direction, sizes * sizes / total


def direct_bias(rows: Rows, direction: DoubleArray, c: float = 1.0) -> float:
    """How far words lie along a direction on the average: the mean of abs(cos(w, g)) ** c.

    Parameters
    ----------
    rows : float32 or float64 (n_words, dim), of any length
    direction : float64 (dim,)
    c : how strict it is; with 0 every word counts 1 that is not exactly at right angles

    Returns
    -------
    float from 0 to 1
    """
    along = np.abs(of_length_1(rows) @ of_length_1(direction))
    return float(np.where(along > 0, along**c, 0.0).mean())


def indirect_bias(a: Rows, b: Rows, direction: DoubleArray) -> float:
    """The share of the cosine of two words that comes from a direction g (beta of the paper).

    beta = (cos(a, b) - cos(a', b')) / cos(a, b), where a' = a - <a, g> g.

    Parameters
    ----------
    a, b : float32 or float64 (dim,), of any length
    direction : float64 (dim,)

    Returns
    -------
    float
        Below 0 where the words are more alike without the direction; nan where they are at right angles.
    """
    first, second, g = of_length_1(a), of_length_1(b), of_length_1(direction)
    whole = float(first @ second)
    rest_a, rest_b = of_length_1(first - (first @ g) * g), of_length_1(second - (second @ g) * g)
    return (whole - float(rest_a @ rest_b)) / whole if whole else float("nan")
