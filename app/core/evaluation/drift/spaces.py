"""Two spaces of vectors, and which words they share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.nearest import exact
from app.core.table.arrays import Neighbors
from app.core.table.quantised import UnitVectors
from app.core.table.reading import Table
from app.core.table.vocabulary import Vocabulary

IdArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Space:
    """The words of one version and their vectors.

    Parameters
    ----------
    vocabulary : the words by frequency, with their counts
    counts_known : whether the counts are occurrences, or only keep an order
    unit_vectors : float32 (n_words, dim), C-contiguous, each of length 1, or quantised
    neighbors : the stored nearest words of the most frequent ones
    """

    vocabulary: Vocabulary
    counts_known: bool
    unit_vectors: UnitVectors
    neighbors: Neighbors

    @classmethod
    def of(cls, table: Table) -> Space:
        return cls(table.vocabulary, table.manifest.counts_known, table.unit_vectors, table.neighbors)

    @property
    def n_covered(self) -> int:
        """Words whose nearest ones are stored."""
        return len(self.neighbors.ids)

    def nearest(self, ids: IdArray) -> IdArray:
        """The nearest words of some words, nearest first, as many as are stored of a word; int64 (n, k).

        Those of words that are not covered are looked for.
        """
        found = np.empty((len(ids), self.neighbors.ids.shape[1]), np.int64)
        is_covered = ids < self.n_covered
        found[is_covered] = self.neighbors.ids[ids[is_covered]]
        if not is_covered.all():
            found[~is_covered], _ = exact.nearest_others(self.unit_vectors, ids[~is_covered], found.shape[1])
        return found


class Words(NamedTuple):
    """Words of a pair: their ids in both spaces, int64 (n,) each."""

    first: IdArray
    second: IdArray


@dataclass(frozen=True, eq=False)
class Pair:
    """Two spaces, and where each has the other's words.

    Parameters
    ----------
    first, second : the spaces
    to_second : int64 (words of the first,), their ids in the second, -1 where it lacks them
    to_first : int64 (words of the second,), likewise
    """

    first: Space
    second: Space
    to_second: IdArray
    to_first: IdArray

    @classmethod
    def of(cls, first: Space, second: Space) -> Pair:
        to_first = first.vocabulary.ids_of(second.vocabulary.words())
        to_second = np.full(len(first.vocabulary), -1, np.int64)
        shared = np.flatnonzero(to_first >= 0)
        to_second[to_first[shared]] = shared
        return cls(first, second, to_second, to_first)

    @cached_property
    def shared(self) -> Words:
        """All words that both have, the rarer rank of both deciding the order."""
        first = np.flatnonzero(self.to_second >= 0)
        second = self.to_second[first]
        order = np.argsort(np.maximum(first, second), kind="stable")
        return Words(first[order], second[order])

    @property
    def counts_known(self) -> bool:
        return self.first.counts_known and self.second.counts_known

    def rarity(self, words: Words) -> IdArray:
        """How rare words are where they are rarer: the count less than zero, or the rank if counts are not known."""
        if not self.counts_known:
            return np.maximum(words.first, words.second) + 1
        return -np.minimum(self.first.vocabulary.counts[words.first], self.second.vocabulary.counts[words.second])

    def considered(self, *, min_count: int, max_words: int) -> Words:
        """The most frequent words whose neighbours are stored on both sides; counts count where they are known."""
        first, second = self.shared
        kept = (first < self.first.n_covered) & (second < self.second.n_covered)
        for space, ids in ((self.first, first), (self.second, second)):
            if space.counts_known:
                kept &= space.vocabulary.counts[ids] >= min_count
        return Words(first[kept][:max_words], second[kept][:max_words])
