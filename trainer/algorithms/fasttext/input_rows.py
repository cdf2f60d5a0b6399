"""Word vectors that are means of rows: of a word's own and of its n-grams'."""

from __future__ import annotations

import numpy as np

from app.core.hyperparameters import FastTextHyperparameters
from app.core.table.arrays import FloatArray
from app.core.table.parts import Ngrams
from app.core.table.parts import Parts as TableParts
from app.core.table.vocabulary import Vocabulary
from app.core.text.ngrams import spelled
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
        said = {"min_n": chosen.min_n, "max_n": chosen.max_n, "n_buckets": chosen.n_buckets, "unit": chosen.unit}
        self.ngrams = Ngrams.model_validate(said)
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
        self._ngram_places = places[n_words:]
        self._dim = chosen.dim

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

    def composition(self, rows: FloatArray) -> TableParts:
        """The rows of n-grams, by bucket, that other words are composed of."""
        return TableParts(self.ngrams, rows[self._ngram_places, : self._dim], self.keys.astype(np.int32))
