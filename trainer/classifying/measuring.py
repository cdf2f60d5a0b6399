"""Predictions of held-out texts -> the scores of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.core.classifier.report import GroupScores, Interval, LabelScores, Scores
from trainer.classifying.logistic import Labels

ABSTAINED = -1
MAX_GROUPS = 100
Z_95 = 1.959964


def confusion(truth: Labels, told: Labels, n_classes: int) -> npt.NDArray[np.int64]:
    """Texts by what they are and what they are told to be, `ABSTAINED` last; int64 (n_classes, n_classes + 1)."""
    columns = np.where(told == ABSTAINED, n_classes, told)
    counts = np.bincount(truth * (n_classes + 1) + columns, minlength=n_classes * (n_classes + 1))
    return counts.reshape(n_classes, n_classes + 1)


def precision_recall_f1(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Of each class of a confusion; float64 (n_classes, 3), 0 where there is nothing to divide by."""
    right = np.diagonal(counts).astype(np.float64)
    told, are = counts[:, :-1].sum(axis=0), counts.sum(axis=1)
    return np.stack([right / np.maximum(told, 1), right / np.maximum(are, 1), 2 * right / np.maximum(told + are, 1)], 1)


def scores_of(counts: npt.NDArray[np.int64]) -> Scores:
    accuracy = float(np.diagonal(counts).sum() / counts.sum())
    return Scores(accuracy=round(accuracy, 6), macro_f1=round(float(precision_recall_f1(counts)[:, 2].mean()), 6))


def by_label(
    labels: Sequence[str], counts: npt.NDArray[np.int64], n_training: Sequence[int], telling: Sequence[list[str]]
) -> list[LabelScores]:
    measured = precision_recall_f1(counts).round(6).tolist()
    return [
        LabelScores(
            label=label,
            n_training=n_training[i],
            n_held_out=int(counts[i].sum()),
            precision=measured[i][0],
            recall=measured[i][1],
            f1=measured[i][2],
            telling_words=telling[i],
        )
        for i, label in enumerate(labels)
    ]


def by_group(groups: Sequence[str | None], truth: Labels, told: Labels) -> list[GroupScores]:
    """Errors of each group, the largest groups first; none if no text has one."""
    places: dict[str | None, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    if places.keys() <= {None}:
        return []
    found = []
    for group, members in sorted(places.items(), key=lambda item: (-len(item[1]), item[0] or ""))[:MAX_GROUPS]:
        n_errors = int((truth[members] != told[members]).sum())
        found.append(
            GroupScores(
                group=group,
                n=len(members),
                n_errors=n_errors,
                n_abstained=int((told[members] == ABSTAINED).sum()),
                accuracy=round(1 - n_errors / len(members), 6),
            )
        )
    return found


def difference(truth: Labels, told: Labels, baseline: Labels) -> tuple[float, Interval]:
    """How much more often `told` is right than `baseline`, text by text, with the 95 % interval of paired shares."""
    each = (told == truth).astype(np.float64) - (baseline == truth)
    mean = float(each.mean())
    margin = Z_95 * math.sqrt(float(each.var()) / len(each))
    return round(mean, 6), Interval(low=round(mean - margin, 6), high=round(mean + margin, 6))
