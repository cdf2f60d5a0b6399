"""How the row that stands for a context word is made of the rows that are learnt."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import FloatArray
from trainer.algorithms.algorithm import Start
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.word2vec.layout import NO_PARTS, Parts
from trainer.steps.keys import Word2VecKey


class InputRows(Protocol):
    """The rows of which the words' vectors are made; `parts` is `NO_PARTS` where row i is the vector of word i."""

    parts: Parts

    def initial(self, seed: int) -> FloatArray:
        """What training starts with, float32 (n_rows, padded dim)."""

    def vectors(self, rows: FloatArray) -> FloatArray:
        """A vector for each word, float32 (n_words, dim), a copy."""

    def place(self, start: Start, vectors: FloatArray, rows: FloatArray) -> None:
        """Overwrite rows so that the known words of a start have these vectors, float32 (n_known, dim)."""

    def strengths(self, start: Start) -> FloatArray:
        """How strongly each row is held in its place, float32 (n_rows,); without end where its word is frozen."""

    def words_of(self, is_row: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """The words all of whose rows are among these, bool (n_words,)."""


class OneRowAWord:
    """Word2Vec's: row i is the vector of word i. The kernels' side of it is `kernels.word2vec.input_rows`."""

    def __init__(self, n_words: int, dim: int) -> None:
        self.parts = NO_PARTS
        self._n_words, self._dim = n_words, dim

    def initial(self, seed: int) -> FloatArray:
        """Uniform within half a unit over `dim`, as in word2vec.c (gensim 4's are twice as wide)."""
        rows = aligned_rows(self._n_words, padded(self._dim))
        fill_uniform(rows, self._dim, key_of(seed, Word2VecKey.INITIAL), 0.5 / self._dim)
        return rows

    def vectors(self, rows: FloatArray) -> FloatArray:
        return rows[:, : self._dim].copy()

    def place(self, start: Start, vectors: FloatArray, rows: FloatArray) -> None:
        rows[start.ids, : self._dim] = vectors

    def strengths(self, start: Start) -> FloatArray:
        strengths = np.zeros(self._n_words, np.float32)
        strengths[start.ids] = np.where(start.is_frozen, np.inf, start.anchor_strength * start.shares)
        return strengths

    def words_of(self, is_row: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return is_row
