"""Labelled texts and a version's vectors -> a classifier and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.classifier.artefact import BIASES, DEVIATION, MEAN, WEIGHTS, WORD_WEIGHTS
from app.core.classifier.features import (
    FeatureKind,
    KnownWords,
    document_counts,
    features,
    known_words,
    n_features,
    weights_of_words,
)
from app.core.classifier.report import Baselines, CurvePoint, Report, Scores
from app.core.errors import LabelsUnusable
from app.core.table.reading import Table
from trainer.classifying.choosing import GRID, Places, choose_c, split
from trainer.classifying.costs import BASELINES, FITTING, READING
from trainer.classifying.designs import Dense, FloatArray
from trainer.classifying.labelled import Texts
from trainer.classifying.logistic import Labels, Linear, fit, linear_of
from trainer.classifying.measuring import ABSTAINED, by_group, by_label, confusion, difference, scores_of
from trainer.classifying.tfidf import Baseline, measure_baseline
from trainer.steps.progress import Progress
from trainer.steps.progress import Report as Tell

CURVE = (100, 1_000, 10_000)
MAX_NUMBERS = 400_000_000
"""Of all features of the training texts: 1.6 GB."""
TEXTS_AT_A_TIME = 20_000
N_TELLING = 20
TELLING_TEXTS = 5
"""In so many training texts a word must be before it is told as a telling one."""


@dataclass(frozen=True)
class Wanted:
    """What a classifier shall be made of; `c` None: the best of a grid."""

    features: FeatureKind
    held_out: float
    seed: int
    c: float | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """The arrays of a classifier, the C that was chosen and what was measured."""

    arrays: dict[str, npt.NDArray[Any]]
    c: float
    report: Report


@dataclass(frozen=True, eq=False)
class _Fitted:
    c: float
    dense: Dense
    linear: Linear
    told: Labels


class Training:
    """One training: texts, read and split, with their features.

    Parameters
    ----------
    table : of the version
    texts : that differ, with their classes
    wanted : what is made of them
    tell : is told how far the reading is
    """

    def __init__(self, table: Table, texts: Texts, wanted: Wanted, tell: Tell) -> None:
        width = n_features(wanted.features, table.manifest.dim)
        if len(texts.texts) * width > MAX_NUMBERS:
            raise LabelsUnusable(f"{len(texts.texts):,} texts of {width} features are too many; send fewer texts.")
        self.table, self.texts, self.wanted = table, texts, wanted
        self.n_classes = len(texts.labels)
        self.training, self.held_out = split(texts.classes, wanted.held_out, wanted.seed)
        known = _read(table, texts.texts, tell)
        self.known = known.some(self.training)
        self.word_weights = weights_of_words(wanted.features, table.vocabulary.counts, self.known)
        self.has_words = self.known.lengths > 0
        self.features = self._features(self.known.some(np.flatnonzero(self.has_words)))
        self.classes = texts.classes[self.training]
        self.truth = texts.classes[self.held_out]
        asked = known.some(self.held_out)
        self.is_answered = asked.lengths > 0
        self.asked = self._features(asked.some(np.flatnonzero(self.is_answered)))
        if len(np.unique(self.classes[self.has_words])) < 2:
            raise LabelsUnusable("Hardly a text has a word that the version knows.")

    def _features(self, known: KnownWords) -> FloatArray:
        vectors = self.table.unit_vectors
        return features(self.wanted.features, vectors, self.word_weights, known, np.float32)

    def fitted(self, n_texts: int, c: float | None = None) -> _Fitted:
        """Fit to the first of the training texts, and predict those that are held out."""
        n_known = int(self.has_words[:n_texts].sum())
        rows, labels = self.features[:n_known], self.classes[:n_texts][self.has_words[:n_texts]]

        def design_of(places: Places) -> Dense:
            return Dense(rows[places], dense.scale)

        dense = Dense(rows)
        c = c or choose_c(design_of, labels, self.n_classes, GRID)
        weights = fit(dense, labels, self.n_classes, c)
        linear = linear_of(weights)
        told = np.full(len(self.truth), ABSTAINED)
        scores = Dense(self.asked, dense.scale).scores(np.concatenate([linear.weights, linear.biases[:, None]], axis=1))
        told[self.is_answered] = scores.argmax(axis=1)
        return _Fitted(c, dense, linear, told)

    def baseline(self, n_texts: int) -> Baseline:
        """TF-IDF, trained on the first of the same texts and asked the same ones."""
        texts, training = self.texts.texts, self.training[:n_texts]
        return measure_baseline(
            [texts[i] for i in training.tolist()],
            self.classes[:n_texts],
            [texts[i] for i in self.held_out.tolist()],
            self.n_classes,
        )

    def scores(self, told: Labels) -> Scores:
        return scores_of(confusion(self.truth, told, self.n_classes))


def _read(table: Table, texts: list[str], tell: Tell) -> KnownWords:
    reader, parts = table.reader, []
    for start in range(0, len(texts), TEXTS_AT_A_TIME):
        parts.append(known_words(table, reader, texts[start : start + TEXTS_AT_A_TIME]))
        tell(Progress(min(start + TEXTS_AT_A_TIME, len(texts)) / len(texts)))
    offsets = np.cumsum(np.concatenate([[0], *(part.lengths for part in parts)]))
    return KnownWords(np.concatenate([part.ids for part in parts]), offsets)


def train(table: Table, texts: Texts, wanted: Wanted, phase: Callable[[str], Tell]) -> Trained:
    """Fit a classifier, and measure it and the baselines on held-out texts; `phase` begins a phase of the job.

    Raises
    ------
    LabelsUnusable
        There are too many texts, or no words that the version knows.
    """
    work = Training(table, texts, wanted, phase(READING))
    n_texts = len(work.training)
    tell = phase(FITTING)
    best = work.fitted(n_texts, wanted.c)
    sizes = [size for size in CURVE if size < n_texts and len(np.unique(work.classes[:size])) > 1]
    points = []
    for i, size in enumerate(sizes):
        tell(Progress((i + 1) / (len(sizes) + 1)))
        points.append((size, work.fitted(size)))
    tell = phase(BASELINES)
    measured = []
    for i, size in enumerate([*sizes, n_texts]):
        measured.append(work.baseline(size))
        tell(Progress((i + 1) / (len(sizes) + 1)))
    curve = [
        CurvePoint(
            n_texts=size,
            c=fitted.c,
            **work.scores(fitted.told).model_dump(),
            tfidf_accuracy=work.scores(baseline.told).accuracy if baseline.n_texts == size else None,
        )
        for (size, fitted), baseline in zip([*points, (n_texts, best)], measured, strict=True)
    ]
    arrays: dict[str, npt.NDArray[Any]] = {
        WEIGHTS: best.linear.weights,
        BIASES: best.linear.biases,
        MEAN: best.dense.scale.mean,
        DEVIATION: best.dense.scale.deviation,
    }
    if work.word_weights is not None:
        arrays[WORD_WEIGHTS] = work.word_weights
    return Trained(arrays, best.c, _report(work, best, measured[-1], curve))


def _report(work: Training, best: _Fitted, tfidf: Baseline, curve: list[CurvePoint]) -> Report:
    texts, truth = work.texts, work.truth
    counts = confusion(truth, best.told, work.n_classes)
    n_training = np.bincount(work.classes, minlength=work.n_classes)
    majority = np.full(len(truth), n_training.argmax())
    baselines = {"majority": work.scores(majority), "tfidf": work.scores(tfidf.told)}
    better = max((tfidf.told, majority), key=lambda told: work.scores(told).accuracy)
    ahead, interval = difference(truth, best.told, better)
    answered = best.told != ABSTAINED
    n_unknown = int((~work.has_words).sum())
    return Report(
        rows=texts.rows.model_copy(update={"n_without_known_word": n_unknown}),
        n_training=len(work.training),
        n_held_out=len(truth),
        n_abstained=int((~answered).sum()),
        scores=scores_of(counts),
        accuracy_of_answered=round(float((truth == best.told)[answered].mean()), 6) if answered.any() else 0.0,
        labels=by_label(texts.labels, counts, n_training.tolist(), _telling_words(work, best)),
        confusion=counts.tolist(),
        groups=by_group([texts.groups[i] for i in work.held_out.tolist()], truth, best.told),
        baselines=Baselines(**baselines, tfidf_c=tfidf.c, tfidf_n_texts=tfidf.n_texts),
        beats_baseline=interval.low > 0,
        difference=ahead,
        interval=interval,
        learning_curve=curve,
    )


def _telling_words(work: Training, best: _Fitted) -> list[list[str]]:
    """For each class the words that, alone, would speak most for it."""
    counts = document_counts(work.known, len(work.table.vocabulary))
    ids = np.flatnonzero(counts >= TELLING_TEXTS)
    alone = KnownWords(ids, np.arange(len(ids) + 1))
    rows = features(work.wanted.features, work.table.unit_vectors, work.word_weights, alone)
    rows = rows / best.dense.scale.deviation
    found = []
    for weights in best.linear.weights:
        scores = rows @ weights
        order = np.lexsort((ids, -scores))[:N_TELLING]
        found.append([work.table.vocabulary.word(int(ids[i])) for i in order])
    return found
