"""What a Word2Vec training that goes on from known words starts with, and what holds those in their place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import FloatArray
from trainer.algorithms.algorithm import Start
from trainer.algorithms.word2vec.input_rows import InputRows
from trainer.kernels.rows import aligned_rows
from trainer.kernels.word2vec.anchors import draw_back
from trainer.kernels.word2vec.layout import Stream, Tables

OUTPUT_VECTORS = "output_vectors"
"""What is kept beside the published vectors, for a training that goes on from them."""


class Anchors:
    """Where the input rows of known words were, and how strongly each is drawn back there.

    A word's strength is the start's, times the share of its occurrences that were learnt before. Summed over its tokens
    here that is half the harmonic mean of both counts, by which Yang, Lu and Zheng 2017 weigh words (they take it of
    normalised counts, and through a sigmoid; here counts are absolute, as in a mean over both corpora).

    Parameters
    ----------
    start : Start
    tables : Tables; the rows of known words are overwritten
    rows : which rows those are
    outputs : all output rows, if the start has none
    is_sum : whether published vectors are the sum of both rows
    """

    def __init__(
        self, start: Start, tables: Tables, rows: InputRows, outputs: FloatArray | None, *, is_sum: bool
    ) -> None:
        dim, known = start.vectors.shape[1], start.vectors
        self._others = start.others[OUTPUT_VECTORS] if start.others else None
        if self._others is not None:
            tables.output_vectors[start.ids, :dim] = self._others
            known = known - self._others if is_sum else known
        elif outputs is not None:
            tables.output_vectors[:] = outputs
        rows.place(start, known, tables.input_vectors)
        self._rows = aligned_rows(*tables.input_vectors.shape)
        self._rows[:] = tables.input_vectors
        self._strengths, self._words_of = rows.strengths(start), rows.words_of
        self._ids, self._frozen, self._is_sum = start.ids, np.flatnonzero(np.isinf(self._strengths)), is_sum

    def hold(self, stream: Stream, tables: Tables, first_place: int, last_place: int) -> None:
        """Draw back the rows that were trained in the blocks of some places."""
        draw_back(stream, first_place, last_place, tables, self._rows, self._strengths)

    def restore(self, tables: Tables) -> None:
        """Set the rows that are frozen."""
        tables.input_vectors[self._frozen] = self._rows[self._frozen]

    def is_kept(self, tables: Tables) -> npt.NDArray[np.bool_]:
        """Which words are known and have the rows that they had, of those that are published; bool (n_words,)."""
        is_same = self._words_of((tables.input_vectors == self._rows).all(axis=1))[self._ids]
        if self._is_sum and self._others is not None:
            is_same &= (tables.output_vectors[self._ids, : self._others.shape[1]] == self._others).all(axis=1)
        is_kept = np.zeros(len(tables.output_vectors), np.bool_)
        is_kept[self._ids] = is_same
        return is_kept
