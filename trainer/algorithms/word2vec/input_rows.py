"""How the row that stands for a context word is made of the rows that are learnt."""

from __future__ import annotations

from typing import Protocol

from app.core.table.arrays import FloatArray
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
