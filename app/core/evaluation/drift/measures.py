"""Measures of how much words changed between two spaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from app.core.evaluation.drift.spaces import IdArray, Pair, Words
from app.core.nearest import procrustes
from app.core.nearest.scores import DoubleArray, rounded
from app.core.table.quantised import UnitVectors

LOCAL_NEIGHBORS = 25
"""Of each side, as Hamilton et al. (2016) take them."""
OVERLAP_NEIGHBORS = 10
ALIGNED_WORDS = 20_000
BLOCK_NUMBERS = 1 << 22
"""Numbers that are gathered at a time: 16 MiB."""


class Surroundings(NamedTuple):
    """How words lie among their neighbours in both spaces, by sums over these; float64 (n,) each.

    The neighbours of a word are the `LOCAL_NEIGHBORS` nearest of either side that both sides have. `first` and `second`
    are the squared lengths of its vectors of cosines to them, `both` is their product, `n_neighbors` their size.
    """

    first: DoubleArray
    second: DoubleArray
    both: DoubleArray
    n_neighbors: DoubleArray

    @property
    def ratio(self) -> float:
        """What the second space's cosines are multiplied with to be as large as the first one's, by least squares."""
        total = float(self.second.sum())
        return float(self.both.sum()) / total if total > 0 else 1.0

    def likeness(self) -> DoubleArray:
        """The cosine of both vectors of cosines (Hamilton et al. 2016): 1 is no change, 0 stands for no neighbour."""
        lengths = np.sqrt(self.first * self.second)
        return rounded(np.divide(self.both, lengths, out=np.zeros_like(lengths), where=lengths > 0))

    def shift(self, ratio: float) -> DoubleArray:
        """The root mean square by which the cosines differ, where the cosine of both vectors sees their form alone.

        0 is no change; 1 stands for no neighbour.
        """
        squares = np.maximum(self.first - 2 * ratio * self.both + ratio**2 * self.second, 0)
        means = np.divide(squares, self.n_neighbors, out=np.ones_like(squares), where=self.n_neighbors > 0)
        return rounded(np.sqrt(means))


def surroundings(pair: Pair, words: Words) -> Surroundings:
    """Compare where words lie among their neighbours. Spaces need no alignment, and may have different dimensions."""
    found = Surroundings(*np.zeros((4, len(words.first))))
    width = 2 * LOCAL_NEIGHBORS * max(pair.first.unit_vectors.shape[1], pair.second.unit_vectors.shape[1])
    for rows in _blocks(len(words.first), width):
        first, second = words.first[rows], words.second[rows]
        near_first = _first_of(pair.to_second, pair.first.nearest(first))
        near_second = _first_of(pair.to_first, pair.second.nearest(second))
        theirs = np.where(near_second < 0, -1, pair.to_first[near_second])
        theirs[(theirs[:, :, None] == near_first[:, None, :]).any(axis=2)] = -1
        union = np.concatenate([near_first, theirs], axis=1)
        cosines = _cosines(pair.first.unit_vectors, first, union)
        others = _cosines(pair.second.unit_vectors, second, np.where(union < 0, -1, pair.to_second[union]))
        found.first[rows], found.second[rows] = (cosines**2).sum(axis=1), (others**2).sum(axis=1)
        found.both[rows], found.n_neighbors[rows] = (cosines * others).sum(axis=1), (union >= 0).sum(axis=1)
    return found


def overlaps(pair: Pair, words: Words) -> DoubleArray:
    """The share of the nearest `OVERLAP_NEIGHBORS` (Wendlandt et al. 2018) that is the same; float64 (n,)."""
    found = np.zeros(len(words.first))
    for rows in _blocks(len(words.first), OVERLAP_NEIGHBORS**2):
        before = pair.to_second[pair.first.nearest(words.first[rows])[:, :OVERLAP_NEIGHBORS]]
        after = pair.second.nearest(words.second[rows])[:, :OVERLAP_NEIGHBORS]
        same = (before[:, :, None] == after[:, None, :]).any(axis=2)
        found[rows] = same.sum(axis=1) / max(1, min(before.shape[1], after.shape[1]))
    return found


def rotation(pair: Pair) -> DoubleArray:
    """The rotation from the first space to the second over the `ALIGNED_WORDS` most frequent words that both have.

    Parameters
    ----------
    pair : Pair

    Returns
    -------
    float64 (dim, dim), of the larger dimension
    """
    first, second = pair.shared.first[:ALIGNED_WORDS], pair.shared.second[:ALIGNED_WORDS]
    dim = max(pair.first.unit_vectors.shape[1], pair.second.unit_vectors.shape[1])
    blocks = _blocks(len(first), 2 * dim)
    pairs = ((_rows(pair.first.unit_vectors, first[at]), _rows(pair.second.unit_vectors, second[at])) for at in blocks)
    return procrustes.rotation(pairs, dim)


def aligned_cosines(pair: Pair, words: Words, turn: DoubleArray) -> DoubleArray:
    """Cosines of words with themselves after the first space was turned by a `rotation`; float64 (n,), rounded."""
    found = np.empty(len(words.first))
    for rows in _blocks(len(words.first), 2 * len(turn)):
        turned = procrustes.wide(_rows(pair.first.unit_vectors, words.first[rows]), len(turn)) @ turn
        others = procrustes.wide(_rows(pair.second.unit_vectors, words.second[rows]), len(turn))
        found[rows] = (turned * others).sum(axis=1)
    return rounded(np.clip(found, -1, 1))


def _blocks(n: int, width: int) -> Iterator[slice]:
    step = max(1, BLOCK_NUMBERS // width)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _first_of(places: IdArray, near: IdArray) -> IdArray:
    """The first `LOCAL_NEIGHBORS` of each row that the other side has, int64 (n, at most so many), -1 where fewer."""
    lacking = places[near] < 0
    order = np.argsort(lacking, axis=1, kind="stable")[:, :LOCAL_NEIGHBORS]
    return np.where(np.take_along_axis(lacking, order, axis=1), -1, np.take_along_axis(near, order, axis=1))


def _cosines(unit_vectors: UnitVectors, ids: IdArray, others: IdArray) -> DoubleArray:
    """Of each word with the others of its row, 0 where there is none (-1); float64 (n, m)."""
    found = np.einsum("nmd,nd->nm", unit_vectors[others], unit_vectors[ids])
    return np.where(others < 0, 0.0, found.astype(np.float64))


def _rows(unit_vectors: UnitVectors, ids: IdArray) -> DoubleArray:
    return unit_vectors[ids].astype(np.float64)
