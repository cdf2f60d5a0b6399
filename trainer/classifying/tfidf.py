"""The baseline that needs no vectors: TF-IDF of the characters of words, one to four at a time."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.classifying.choosing import TFIDF_GRID, choose_c
from trainer.classifying.designs import Sparse
from trainer.classifying.logistic import Labels, fit, linear_of

MAX_N = 4
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


def ngrams(text: str) -> Counter[str]:
    """How often each n-gram is in a text; a word has a blank before and after it, and no n-gram crosses two."""
    found: Counter[str] = Counter()
    for word in text.lower().split():
        found.update(word)
        padded = f" {word} "
        for n in range(2, MAX_N + 1):
            found.update([padded[i : i + n] for i in range(len(padded) - n + 1)])
    return found


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
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(ngrams(text).keys())
            if len(counts) > MAX_COUNTED:
                counts = Counter({ngram: n for ngram, n in counts.items() if n > 1})
        limit = min(MAX_FEATURES, MAX_WEIGHTS // n_scores)
        kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
        self._ids = {ngram: i for i, (ngram, _) in enumerate(kept)}
        self._idf = [math.log((1 + len(texts)) / (1 + n)) + 1 for _, n in kept]

    def rows(self, texts: Iterable[str]) -> Sparse:
        """The rows of texts; what the training did not have is left out."""
        offsets, columns, values = array("q", [0]), array("i"), array("f")
        for text in texts:
            known = [(i, n) for ngram, n in ngrams(text).items() if (i := self._ids.get(ngram)) is not None]
            weights = [(1 + math.log(n)) * self._idf[i] for i, n in known]
            length = math.sqrt(sum(weight * weight for weight in weights))
            columns.extend([i for i, _ in known])
            values.extend([weight / length for weight in weights])
            offsets.append(len(columns))
        arrays = (np.array(offsets, np.int64), np.array(columns, np.int32), np.array(values, np.float32))
        return Sparse(*arrays, n_features=max(len(self._ids), 1))


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
