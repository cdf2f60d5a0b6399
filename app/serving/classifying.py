"""Classifiers that are open and ready to answer; each stands on a version that is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from app.core.catalog import PublishedVersion
from app.core.classifier.features import KnownWords, features, known_words
from app.core.nearest.scores import rounded
from app.serving.version import ServedVersion

if TYPE_CHECKING:
    from app.core.classifier.artefact import Classifier

DoubleArray = npt.NDArray[np.float64]
Json = dict[str, Any]

TEXTS_AT_A_TIME = 2000
"""So that what is made of them stays in the cache."""
MAX_TOLD_WORDS = 100
"""Words of a text whose contributions are told, the strongest."""


class ServedClassifier:
    """A classifier and the version of vectors that it stands on; immutable but for a cache.

    The same text gets the same bytes, alone or among others: sums are made text by text, in an order that depends on
    the text alone, and probabilities are rounded.
    """

    def __init__(self, published: PublishedVersion, classifier: Classifier, version: ServedVersion) -> None:
        self.name = published.model
        self.number = published.number
        self.version = version
        self.labels = classifier.manifest.labels
        self._kind = classifier.manifest.features
        self._seen: dict[str, int] = {}
        self._word_weights = classifier.word_weights
        # standardising the features, and then weighing them, is one product
        self._weights: DoubleArray = classifier.weights / classifier.deviation
        self._biases: DoubleArray = classifier.biases - (self._weights * classifier.mean).sum(axis=1)

    @property
    def below(self) -> tuple[str, int]:
        """The version that it stands on."""
        return self.version.model, self.version.number

    def classify(self, texts: Sequence[str], *, explain: bool = False) -> list[Json]:
        """The results of texts, in their order."""
        found: list[Json] = []
        for start in range(0, len(texts), TEXTS_AT_A_TIME):
            found += self._classified(texts[start : start + TEXTS_AT_A_TIME], explain=explain)
        return found

    def _classified(self, texts: Sequence[str], *, explain: bool) -> list[Json]:
        known = known_words(self.version.table, self.version.text, texts, self._seen)
        lengths = known.lengths.tolist()
        answered = np.flatnonzero(known.lengths)
        results: list[Json] = [self._abstained() for _ in texts] if len(answered) < len(texts) else [{}] * len(texts)
        if not len(answered):
            return results
        rows = self._features(known.some(answered) if len(answered) < len(texts) else known)
        scores = self._scores(rows)
        best = scores.argmax(axis=1).tolist()
        probabilities = rounded(_softmax(scores)).tolist()
        for place, label, shares in zip(answered.tolist(), best, probabilities, strict=True):
            results[place] = {
                "label": self.labels[label],
                "probabilities": dict(zip(self.labels, shares, strict=True)),
                "n_known_words": lengths[place],
                "abstained": False,
            }
            if explain:
                ids = known.ids[known.offsets[place] : known.offsets[place + 1]]
                results[place] |= self._explained(ids, label)
        return results

    def _abstained(self) -> Json:
        return {"label": None, "probabilities": None, "n_known_words": 0, "abstained": True}

    def _features(self, known: KnownWords) -> DoubleArray:
        rows = features(self._kind, self.version.table.unit_vectors, self._word_weights, known)
        return np.asarray(rows, np.float64)

    def _scores(self, rows: DoubleArray) -> DoubleArray:
        """float64 (n, n_labels); each by numpy's sum along a row, which does not depend on how many there are."""
        scores = np.empty((len(rows), len(self.labels)))
        for label, weights in enumerate(self._weights):
            (rows * weights).sum(axis=1, out=scores[:, label])
        return scores + self._biases

    def _explained(self, ids: npt.NDArray[np.int64], label: int) -> Json:
        """What each word adds to the score of a label; with the bias they add up to it."""
        vectors = self.version.table.unit_vectors[ids].astype(np.float64)
        dim = vectors.shape[1]
        shares = np.ones(len(ids)) if self._word_weights is None else self._word_weights[ids].astype(np.float64)
        shares = shares / shares.sum()
        weights = self._weights[label]
        adds = (vectors * weights[:dim]).sum(axis=1) * shares
        if self._kind == "mean-max-min":
            columns = np.arange(dim)
            for first, extremes in ((dim, vectors.argmax(axis=0)), (2 * dim, vectors.argmin(axis=0))):
                np.add.at(adds, extremes, weights[first : first + dim] * vectors[extremes, columns])
        distinct, places = np.unique(ids, return_inverse=True)
        totals = rounded(np.bincount(places, adds).astype(np.float64))
        order = np.lexsort((distinct, -np.abs(totals)))[:MAX_TOLD_WORDS]
        word = self.version.lookup.word
        told = [{"word": word(int(distinct[i])), "contribution": float(totals[i])} for i in order]
        return {"bias": float(rounded(self._biases[label])), "words": told}


def _softmax(scores: DoubleArray) -> DoubleArray:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: DoubleArray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares
