"""Candidates for the neighbours of each word, from the scores of all pairs, block by block."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import numpy.typing as npt

from app.core.nearest import exact
from app.core.nearest.scores import DECIMALS
from app.core.table.arrays import FloatArray, Neighbors
from app.core.table.quantised import Quantised, UnitVectors
from trainer.kernels.llvm import LANES
from trainer.kernels.neighbors.candidates import CAPACITY, GIVEN_UP, offer, offer_own, raise_bars
from trainer.kernels.neighbors.products import error, n_pairs, pack
from trainer.kernels.neighbors.ranking import pieces_of, rank

PANEL = 512
"""Words whose scores with those of another panel are a block, which stays in the cache until it is looked through."""
SCALE = 10.0**DECIMALS


class _Space:
    """What a thread needs for a block: its rows, packed, its columns, its scores, and its hits."""

    def __init__(self, dim: int) -> None:
        self.rows, self.columns = np.empty((2, PANEL // LANES, n_pairs(dim), LANES), np.int32)
        self._scores, self._hits = np.empty((PANEL, PANEL), np.float32), np.empty((PANEL, 3), np.int64)
        self.addresses = self._scores.ctypes.data, self._hits.ctypes.data
        self.panel = -1
        """That of the rows."""


class Candidates:
    """The candidates of the first words of a table.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous, or quantised
    covered : how many words have candidates: all, or whole blocks
    k : how many neighbours are wanted of each, below n_words
    threads : how many may offer blocks at a time
    """

    def __init__(self, unit_vectors: UnitVectors, covered: int, k: int, threads: int) -> None:
        self._unit_vectors, self._covered, self._k = unit_vectors, covered, k
        self._slack = 2 * error(unit_vectors.shape[1]) + 10.0**-DECIMALS
        self._pieces = pieces_of(unit_vectors.shape[1])
        self.neighbors = Neighbors(np.empty((covered, k), np.int32), np.empty((covered, k), np.float32))
        self._bars = np.full(-(-covered // PANEL) * PANEL, -np.inf, np.float32)
        self._counts = np.zeros(covered, np.int32)
        self._candidates = np.empty((covered, CAPACITY, 2), np.int32)
        self._locks = [Lock() for _ in range(-(-len(unit_vectors) // PANEL))]
        self._state = tuple(each.ctypes.data for each in (self._bars, self._counts, self._candidates))
        self._spaces = deque(_Space(unit_vectors.shape[1]) for _ in range(threads))

    def offer_own(self, panel: int) -> None:
        """Offer the words of a panel to each other, before any other block: their bars begin with what these reach."""
        with self._space(panel) as space:
            offer_own(space.rows, self._words(panel), self._state, space.addresses, self._k, self._slack)

    def offer_block(self, first: int, second: int) -> None:
        """Offer the scores of a panel and a later one to the words of both."""
        is_shared = second * PANEL < self._covered
        with self._locks[first], self._locks[second], self._space(first) as space:
            pack(self._vectors(second), space.columns)
            block = *self._words(first), *self._words(second), is_shared
            offer(space.rows, space.columns, block, self._state, space.addresses, self._k, self._slack)

    @contextmanager
    def _space(self, panel: int) -> Iterator[_Space]:
        """Room for a block, with the rows of a panel: the last one's, if a thread goes on with it."""
        space = self._spaces.pop()
        if space.panel != panel:
            pack(self._vectors(panel), space.rows)
            space.panel = panel
        yield space
        self._spaces.append(space)

    def _vectors(self, panel: int) -> FloatArray:
        return self._unit_vectors[panel * PANEL : (panel + 1) * PANEL]

    def _words(self, panel: int) -> tuple[int, int]:
        """The first word of a panel, and how many it has."""
        return panel * PANEL, min(PANEL, len(self._unit_vectors) - panel * PANEL)

    def rank(self, panel: int) -> None:
        """Find the neighbours of a panel's words, when all blocks have been offered."""
        rows = slice(panel * PANEL, min((panel + 1) * PANEL, self._covered))
        raise_bars(rows.start, rows.stop, self._state, self._k, self._slack)
        counts, ids = self._counts[rows], self._candidates[rows, :, 1]
        n_each = np.maximum(counts, 0)  # none of those that are given up
        chosen = ids[np.arange(CAPACITY) < n_each[:, None]]
        places, vectors = chosen, self._unit_vectors
        if isinstance(vectors, Quantised):
            places, vectors = np.arange(len(chosen), dtype=np.int32), vectors[chosen]
        own, scores = self._unit_vectors[rows], np.zeros((len(counts), self._k))
        pairs = np.stack([places, chosen], axis=1)
        found = self.neighbors.ids[rows]
        rank(own.ctypes.data, vectors.ctypes.data, pairs, n_each, self._pieces, SCALE, found, scores)
        self.neighbors.scores[rows] = scores
        self._search(rows.start + np.flatnonzero(counts == GIVEN_UP))

    def _search(self, rows: npt.NDArray[np.int64]) -> None:
        """Search whatever could be among the nearest of words that were given up."""
        if len(rows):
            self.neighbors.ids[rows], self.neighbors.scores[rows] = exact.nearest_others(
                self._unit_vectors, rows, self._k
            )
