"""The baseline that needs no vectors: TF-IDF of the characters of words, one to four at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.classifying.choosing import TFIDF_GRID, choose_c
from trainer.classifying.designs import Sparse
from trainer.classifying.logistic import Labels, fit, linear_of
from trainer.classifying.ngrams import Characters, Integers, Keys, count, parts_of, read

MAX_WEIGHTS = 1_000_000
"""Of all classes together: their optimiser keeps twenty times as many numbers."""
MAX_FEATURES = 300_000
MAX_COUNTED = 3_000_000
"""Distinct n-grams that are counted at a time: beyond, those of one text alone are forgotten."""
MAX_CHARACTERS = 10_000_000
"""Of the training's texts together: what they have takes some hundred megabytes at most."""
ASKED_AT_A_TIME = 20_000
TOLERANCE = 1e-4
"""As scikit-learn has it by default."""


def affordable(texts: Sequence[str]) -> int:
    """How many of the first texts have `MAX_CHARACTERS` together."""
    room = MAX_CHARACTERS
    for n, text in enumerate(texts):
        room -= len(text)
        if room < 0:
            return n
    return len(texts)


class TfIdf:
    """Counts n-grams of a training's texts, then turns texts into rows.

    The weight of an n-gram that occurs ``t`` times in a text, and in ``d`` of ``n`` texts, is
    ``(1 + ln t) * (ln((1 + n) / (1 + d)) + 1)``; rows have the length 1. Where there are too many n-grams, those that
    most texts have are kept.
    """

    def __init__(self, texts: Sequence[str], n_scores: int = 1) -> None:
        self._characters = Characters(texts)
        keys, counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        for part in parts_of(texts):
            words = read(part, self._characters)
            new, numbers = np.unique(words.keys, return_inverse=True)
            n_texts = np.bincount(count(words, numbers, len(new)).columns, minlength=len(new))
            keys, counts = _added(keys, counts, new, n_texts)
            if len(keys) > MAX_COUNTED:
                keys, counts = keys[counts > 1], counts[counts > 1]
        kept = np.lexsort((keys, -counts))[: min(MAX_FEATURES, MAX_WEIGHTS // n_scores)]
        by_key = np.argsort(keys[kept])
        self._keys = np.concatenate([np.zeros(1, np.uint64), keys[kept][by_key]])  # no n-gram is 0
        self._columns = np.concatenate([[-1], by_key])
        self._idf = np.log((1 + len(texts)) / (1 + counts[kept])) + 1

    def rows(self, texts: Iterable[str]) -> Sparse:
        """The rows of texts; what the training did not have is left out."""
        rows = [self._rows(part) for part in parts_of(texts)]
        lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(row.offsets) for row in rows)])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        columns = np.concatenate([row.columns for row in rows] or [np.zeros(0, np.int32)])
        values = np.concatenate([row.values for row in rows] or [np.zeros(0, np.float32)])
        return Sparse(offsets, columns, values, n_features=max(len(self._idf), 1))

    def _rows(self, texts: Sequence[str]) -> Sparse:
        words = read(texts, self._characters)
        places = np.searchsorted(self._keys, words.keys, side="right") - 1
        numbers = np.where(self._keys[places] == words.keys, self._columns[places], -1)
        found = count(words, numbers, len(self._idf))
        weights = (1 + np.log(found.counts)) * self._idf[found.columns]
        lengths = np.diff(found.offsets)
        squares = np.bincount(np.repeat(np.arange(len(texts)), lengths), weights * weights, len(texts))
        values = weights / np.repeat(np.sqrt(squares), lengths)
        return Sparse(found.offsets, found.columns, values.astype(np.float32), len(self._idf))


def _added(keys: Keys, counts: Integers, more: Keys, their_counts: Integers) -> tuple[Keys, Integers]:
    """Keys in order, and their counts in both."""
    both, numbers = np.unique(np.concatenate([keys, more]), return_inverse=True)
    sums = np.bincount(numbers, np.concatenate([counts, their_counts]), len(both))
    return both, sums.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What the baseline tells of the texts that it is asked, int64 (n,); it had `n_texts` and chose `c`."""

    told: Labels
    n_texts: int
    c: float


def measure_baseline(texts: Sequence[str], labels: Labels, asked: Sequence[str], n_classes: int) -> Baseline:
    """Train on texts, in a random order and as many as are `affordable`, and tell the classes of others."""
    n_texts = affordable(texts)
    n_scores = 1 if n_classes == 2 else n_classes
    tfidf, labels = TfIdf(texts[:n_texts], n_scores), labels[:n_texts]
    rows = tfidf.rows(texts[:n_texts])
    c = choose_c(rows.rows, labels, n_classes, TFIDF_GRID, n_folds=1)
    linear = linear_of(fit(rows, labels, n_classes, c, tolerance=TOLERANCE))
    weights = np.concatenate([linear.weights, linear.biases[:, None]], axis=1)
    blocks = (asked[start : start + ASKED_AT_A_TIME] for start in range(0, len(asked), ASKED_AT_A_TIME))
    told = [tfidf.rows(block).scores(weights).argmax(axis=1) for block in blocks]
    return Baseline(np.concatenate(told), n_texts, c)
