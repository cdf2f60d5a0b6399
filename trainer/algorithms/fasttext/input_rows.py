"""Word vectors that are means of rows: of a word's own and of its n-grams'."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import FastTextHyperparameters
from app.core.table.arrays import FloatArray
from app.core.table.parts import Ngrams
from app.core.table.parts import Parts as TableParts
from app.core.table.vocabulary import Vocabulary
from app.core.text.ngrams import spelled
from trainer.algorithms.algorithm import Start
from trainer.algorithms.word2vec.sampling import keep_probabilities
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import aligned_rows, padded
from trainer.kernels.vectors.subwords import joined, listed_ngrams, mean_rows
from trainer.kernels.word2vec.layout import Parts
from trainer.steps.keys import Word2VecKey


class RowsOfNgrams:
    """FastText's: a row for each word and for each bucket that an n-gram of the vocabulary falls into.

    Rows that tokens use most come first, be they of words or of n-grams, so that threads have them for themselves.

    Parameters
    ----------
    vocabulary : the words
    chosen : dim, n-grams, and how often words are kept
    """

    def __init__(self, vocabulary: Vocabulary, chosen: FastTextHyperparameters) -> None:
        self.ngrams = Ngrams.of(chosen)
        marked = [spelled(word, chosen.unit).encode() for word in vocabulary.words()]
        offsets, buckets = listed_ngrams(*joined(marked), chosen.n_buckets, self.ngrams.sizes)
        self.keys, columns = np.unique(buckets, return_inverse=True)
        n_words = len(vocabulary)
        self.n_rows = n_words + len(self.keys)
        offsets = offsets + np.arange(n_words + 1)
        rows = np.empty(offsets[-1], np.int64)
        is_word = np.zeros(len(rows), np.bool_)
        is_word[offsets[:-1]] = True
        rows[is_word], rows[~is_word] = np.arange(n_words), n_words + columns
        kept = vocabulary.counts * keep_probabilities(vocabulary.counts, chosen.subsampling_threshold)
        uses = np.bincount(rows, np.repeat(kept, np.diff(offsets)))
        places = np.empty(self.n_rows, np.int32)
        places[np.argsort(-uses, kind="stable")] = np.arange(self.n_rows, dtype=np.int32)
        self.parts = Parts(offsets, places[rows])
        self._word_places, self._ngram_places = places[:n_words], places[n_words:]
        self._counts, self._dim = vocabulary.counts, chosen.dim

    def initial(self, seed: int) -> FloatArray:
        """Uniform within a unit over `dim`, as in fastText."""
        rows = aligned_rows(self.n_rows, padded(self._dim))
        fill_uniform(rows, self._dim, key_of(seed, Word2VecKey.INITIAL), 1 / self._dim)
        return rows

    def vectors(self, rows: FloatArray) -> FloatArray:
        """A vector for each word, float32 (n_words, dim)."""
        vectors = np.empty((len(self.parts.offsets) - 1, self._dim), np.float32)
        mean_rows(*self.parts, rows, vectors)
        return vectors

    def place(self, start: Start, vectors: FloatArray, rows: FloatArray) -> None:
        """Rows of n-grams are those that the version has; a word's own is what is then left of its vector."""
        assert start.parts is not None  # noqa: S101 (no job goes on from a version without)
        found = np.minimum(np.searchsorted(start.parts.keys, self.keys), max(len(start.parts.keys) - 1, 0))
        is_known = start.parts.keys[found] == self.keys if len(start.parts.keys) else np.zeros(len(found), np.bool_)
        rows[self._ngram_places[is_known], : self._dim] = start.parts.vectors[found[is_known]]
        own = self._word_places[start.ids]
        rows[own] = 0
        lengths = np.diff(self.parts.offsets)[start.ids].astype(np.float32)
        rows[own, : self._dim] = lengths[:, None] * (vectors - self.vectors(rows)[start.ids])

    def strengths(self, start: Start) -> FloatArray:
        """A row that words share is held by the share of its uses that was learnt before."""
        before, is_frozen = np.zeros(len(self._counts)), np.zeros(len(self._counts), np.bool_)
        before[start.ids] = start.shares * self._counts[start.ids]
        is_frozen[start.ids] = start.is_frozen
        lengths = np.diff(self.parts.offsets)
        learnt, uses = (np.bincount(self.parts.rows, np.repeat(each, lengths)) for each in (before, self._counts))
        strengths = (start.anchor_strength * learnt / uses).astype(np.float32)
        strengths[self.parts.rows[np.repeat(is_frozen, lengths)]] = np.inf
        return strengths

    def words_of(self, is_row: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.logical_and.reduceat(is_row[self.parts.rows], self.parts.offsets[:-1])

    def composition(self, rows: FloatArray) -> TableParts:
        """The rows of n-grams, by bucket, that other words are composed of."""
        return TableParts(self.ngrams, rows[self._ngram_places, : self._dim], self.keys.astype(np.int32))
