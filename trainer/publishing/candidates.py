"""Candidates for the neighbours of each word, from the scores of all pairs, block by block."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.costs.publishing import PACKED_BYTES
from app.core.nearest.scores import DECIMALS, DoubleArray
from app.core.table.arrays import FloatArray
from app.core.table.quantised import Quantised, UnitVectors
from trainer.kernels.llvm import LANES
from trainer.kernels.neighbors.candidates import CAPACITY, GIVEN_UP, offer, offer_own, raise_bars
from trainer.kernels.neighbors.masks import WIDTH
from trainer.kernels.neighbors.products import Panel, error, n_pairs, pack
from trainer.kernels.neighbors.ranking import pieces_of, rank

PANEL = 512
"""Words whose scores with those of another panel are a block, which stays in the cache until it is looked through."""
SCALE = 10.0**DECIMALS
_NOTHING, _NO_LENGTHS = np.empty((PANEL, 0), np.int16), np.empty(0, np.float32)

Integers = npt.NDArray[np.int32]


class Regrouped:
    """The rows of a table in another order, gathered when they are asked for.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous
    order : int64 (n_words,), the row that comes first, the second, ...
    """

    def __init__(self, unit_vectors: FloatArray, order: npt.NDArray[np.int64]) -> None:
        self.unit_vectors, self.order, self.shape = unit_vectors, order, unit_vectors.shape

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Float32, a copy."""
        return np.take(self.unit_vectors, self.order[rows], axis=0)


class Packed:
    """The panels of a table as they are multiplied; packed when they are asked for, and kept while there is room.

    A tenth of the time of a block went into packing, a quarter where rows are gathered.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous, or what gives such rows
    rounding : the most that is rounded off a vector, in length
    """

    def __init__(self, unit_vectors: UnitVectors | Regrouped, rounding: float) -> None:
        self.unit_vectors, self.error = unit_vectors, error(rounding)
        self.shape = PANEL // LANES, n_pairs(unit_vectors.shape[1]), LANES
        self._kept: dict[int, Integers] = {}
        self._room = PACKED_BYTES // (PANEL * 4 * n_pairs(unit_vectors.shape[1]))

    def of(self, panel: int, scratch: Integers) -> Panel:
        """Those of a panel; `scratch`, int32 of `shape`, is overwritten and taken if there is no room for others."""
        found = self._kept.get(panel)
        if found is None:
            found = np.empty(self.shape, np.int32) if len(self._kept) < self._room else scratch
            pack(self.unit_vectors[panel * PANEL : (panel + 1) * PANEL], found)
            if found is not scratch:
                self._kept[panel] = found
        return Panel(found, _NOTHING, _NO_LENGTHS)

    def whole(self, panel: int, found: Panel, scratch: Integers) -> Integers:  # noqa: ARG002 (for where numbers trail)
        """All numbers of a panel that is `found`, packed; `scratch` may be overwritten."""
        return found.leading


class _Space:
    """What a thread needs for a block: its rows and columns, packed, if they are not kept; its scores and its hits."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.scratch, self.columns = np.empty((2, *shape), np.int32)
        self.rows = Panel(self.scratch, _NOTHING, _NO_LENGTHS)
        self._scores, self._hits = np.empty((PANEL, PANEL), np.float32), np.empty((PANEL, 3), np.int64)
        self._places = np.empty(PANEL * WIDTH + 1, np.int32)
        self.addresses = self._scores.ctypes.data, self._hits.ctypes.data, self._places.ctypes.data
        self.panel = -1
        """That of the rows."""


class Found(NamedTuple):
    """The neighbours of a panel's words, and the words that were given up, int64: they have too many near ties."""

    ids: Integers
    scores: DoubleArray
    given_up: npt.NDArray[np.int64]


class Candidates:
    """The candidates of some words of a table.

    Parameters
    ----------
    packed : the panels of all words
    words : those that have candidates, from the first of a panel on; whole panels, or up to the last word
    k : how many neighbours are wanted of each, below n_words
    threads : how many may offer blocks at a time
    """

    def __init__(self, packed: Packed, words: range, k: int, threads: int) -> None:
        unit_vectors = packed.unit_vectors
        self._packed, self._unit_vectors, self._covered, self._k = packed, unit_vectors, words, k
        self._slack = 2 * packed.error + 10.0**-DECIMALS
        self._pieces = pieces_of(unit_vectors.shape[1])
        self._bars = np.full(-(-len(words) // PANEL) * PANEL, -np.inf, np.float32)
        self._counts = np.zeros(len(words), np.int32)
        self._candidates = np.empty((len(words), CAPACITY, 2), np.int32)
        self._locks = [Lock() for _ in range(-(-len(unit_vectors) // PANEL))]
        self._state = tuple(
            each.ctypes.data - words.start * each.strides[0] for each in (self._bars, self._counts, self._candidates)
        )
        self._spaces = deque(_Space(packed.shape) for _ in range(threads))

    def offer_own(self, panel: int) -> None:
        """Offer the words of a panel to each other, before any other block: their bars begin with what these reach."""
        with self._space(panel) as space:
            rows = self._packed.whole(panel, space.rows, space.scratch)
            offer_own(rows, self._words(panel), self._state, space.addresses[:2], self._k, self._slack)

    def offer_block(self, first: int, second: int) -> None:
        """Offer the scores of a panel and another one to the words of both, as far as they have candidates."""
        is_shared = second * PANEL in self._covered
        with self._locks[first], self._locks[second], self._space(first) as space:
            columns = self._packed.of(second, space.columns)
            block = *self._words(first), *self._words(second), is_shared
            offer(space.rows, columns, block, self._state, space.addresses, self._k, self._slack)

    @contextmanager
    def _space(self, panel: int) -> Iterator[_Space]:
        """Room for a block, with the rows of a panel: the last one's, if a thread goes on with it."""
        space = self._spaces.pop()
        if space.panel != panel:
            space.rows, space.panel = self._packed.of(panel, space.scratch), panel
        yield space
        self._spaces.append(space)

    def _words(self, panel: int) -> tuple[int, int]:
        """The first word of a panel, and how many it has."""
        return panel * PANEL, min(PANEL, len(self._unit_vectors) - panel * PANEL)

    def rank(self, panel: int) -> Found:
        """Find the neighbours of a panel's words, when all blocks have been offered; -1 where there are too few."""
        rows = range(panel * PANEL, min((panel + 1) * PANEL, self._covered.stop))
        raise_bars(rows.start, rows.stop, self._state, self._k, self._slack)
        own = slice(rows.start - self._covered.start, rows.stop - self._covered.start)
        counts, listed = self._counts[own], self._candidates[own, :, 1]
        n_each = np.maximum(counts, 0)  # none of those that are given up
        chosen = listed[np.arange(CAPACITY) < n_each[:, None]]
        places, vectors = chosen, self._unit_vectors
        if isinstance(vectors, Regrouped):
            places, vectors = vectors.order[chosen].astype(np.int32), vectors.unit_vectors
        elif isinstance(vectors, Quantised):
            places, vectors = np.arange(len(chosen), dtype=np.int32), vectors[chosen]
        ids, scores = np.full((len(rows), self._k), -1, np.int32), np.zeros((len(rows), self._k))
        pairs, of_rows = np.stack([places, chosen], axis=1), self._unit_vectors[rows.start : rows.stop]
        rank(of_rows.ctypes.data, vectors.ctypes.data, pairs, n_each, self._pieces, SCALE, ids, scores)
        return Found(ids, scores, rows.start + np.flatnonzero(counts == GIVEN_UP))
