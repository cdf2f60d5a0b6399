"""Features of texts, made of the vectors of their words; trainer and API make them here, in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.core.nearest.text_vectors import word_weights
from app.core.table.quantised import UnitVectors
from app.core.table.reading import Table
from app.core.text import TextReader

FeatureKind = Literal["mean", "sif", "tfidf", "mean-max-min"]
"""How the unit vectors of a text's words become one row: their mean, a mean weighted by frequency in the version's
corpus or by rarity in the labelled texts, or the mean and the extremes of each number."""
WORDS_AT_A_TIME = 1 << 12
"""Of which vectors are copied at once: a few MB, which stay in the cache."""

MAX_SEEN = 200_000
"""Words whose ids are kept: finding one takes ten times as long."""

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KnownWords:
    """The words of texts that a vocabulary has.

    Parameters
    ----------
    ids : int64 (n,), those of text ``i`` from ``offsets[i]`` to before ``offsets[i + 1]``, in order, with repetitions
    offsets : int64 (n_texts + 1,)
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Known words of each text; int64 (n_texts,)."""
        return np.diff(self.offsets)

    def some(self, texts: npt.NDArray[np.integer]) -> KnownWords:
        """The words of these texts, in this order."""
        parts = [self.ids[self.offsets[i] : self.offsets[i + 1]] for i in texts.tolist()]
        return _joined(parts)

    def blocks(self) -> Iterator[tuple[slice, KnownWords]]:
        """Texts that follow each other, together of about `WORDS_AT_A_TIME` words, and where they are."""
        first = 0
        while first < len(self):
            wanted = int(np.searchsorted(self.offsets, self.offsets[first] + WORDS_AT_A_TIME, "right")) - 1
            last = min(max(wanted, first + 1), len(self))
            start, end = self.offsets[first], self.offsets[last]
            yield slice(first, last), KnownWords(self.ids[start:end], self.offsets[first : last + 1] - start)
            first = last


def _joined(parts: Sequence[npt.NDArray[np.int64]]) -> KnownWords:
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return KnownWords(np.concatenate([np.zeros(0, np.int64), *parts]), offsets)


def known_words(
    table: Table, reader: TextReader, texts: Sequence[str], seen: dict[str, int] | None = None
) -> KnownWords:
    """Read texts as the version does, and keep the words that it has; `seen` keeps ids from call to call."""
    seen = {} if seen is None else seen
    lists = list(reader.words_of_each(texts))
    words = list(chain.from_iterable(lists))
    find = table.lookup.find
    number = {}
    for word in set(words):
        word_id = seen.get(word)
        if word_id is None and (word_id := find(word)) is not None and len(seen) < MAX_SEEN:
            seen[word] = word_id
        number[word] = -1 if word_id is None else word_id
    ids = np.fromiter(map(number.__getitem__, words), np.int64, len(words))
    ends = np.cumsum([0, *map(len, lists)])
    n_known_before = np.concatenate([[0], np.cumsum(ids >= 0)])
    return KnownWords(ids[ids >= 0], n_known_before[ends])


def n_features(kind: FeatureKind, dim: int) -> int:
    return 3 * dim if kind == "mean-max-min" else dim


def weights_of_words(kind: FeatureKind, counts: npt.NDArray[np.int64], known: KnownWords) -> FloatArray | None:
    """What each word of the vocabulary weighs in a mean; float32 (n_words,), None if all weigh the same.

    Parameters
    ----------
    kind : which features
    counts : int64 (n_words,), of the version
    known : the texts of the training, which say how rare a word is for `tfidf`: ``ln((1 + n) / (1 + d)) + 1``
    """
    if kind == "sif":
        return word_weights(counts, int(counts.sum())).astype(np.float32)
    if kind != "tfidf":
        return None
    return (np.log((1 + len(known)) / (1 + document_counts(known, len(counts)))) + 1).astype(np.float32)


def document_counts(known: KnownWords, n_words: int) -> npt.NDArray[np.int64]:
    """In how many texts each word is; int64 (n_words,)."""
    texts = np.repeat(np.arange(len(known)), known.lengths)
    distinct = np.unique(texts * n_words + known.ids) % n_words
    return np.bincount(distinct, minlength=n_words)


def features(
    kind: FeatureKind,
    vectors: UnitVectors,
    weights: FloatArray | None,
    known: KnownWords,
    dtype: type[np.floating] = np.float64,
) -> npt.NDArray[np.floating]:
    """Rows of features; no row depends on another one.

    Parameters
    ----------
    kind : which
    vectors : unit vectors (n_words, dim)
    weights : of words in the mean, as `weights_of_words` has them
    known : the texts; each must have a word
    dtype : of the result; all is computed in float64

    Returns
    -------
    (n_texts, `n_features`)
    """
    out = np.empty((len(known), n_features(kind, vectors.shape[1])), dtype)
    dim = vectors.shape[1]
    for place, some in known.blocks():
        rows = vectors[some.ids].astype(np.float64)
        starts = some.offsets[:-1]
        if kind == "mean-max-min":
            np.maximum.reduceat(rows, starts, axis=0, out=out[place, dim : 2 * dim])
            np.minimum.reduceat(rows, starts, axis=0, out=out[place, 2 * dim :])
        totals: npt.NDArray[np.floating] = some.lengths.astype(np.float64)
        if weights is not None:
            each = weights[some.ids].astype(np.float64)
            rows *= each[:, None]
            totals = np.add.reduceat(each, starts)
        out[place, :dim] = np.add.reduceat(rows, starts, axis=0) / totals[:, None]
    return out
