"""Rows of a file -> texts that differ, each with one label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.classifier.report import RowsRead
from app.core.errors import LabelsUnusable
from app.core.text.labelled import Labelled, LabelledFields, LabelledRows
from trainer.classifying.logistic import Labels

MAX_LABELS = 500
MAX_TEXTS = 5_000_000


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts that differ, their classes as int64 (n,), the classes' names, and what became of the rows."""

    texts: list[str]
    classes: Labels
    groups: list[str | None]
    labels: tuple[str, ...]
    rows: RowsRead


def read_texts(path: Path, fields: LabelledFields, min_texts: int) -> Texts:
    """Read a file.

    Parameters
    ----------
    path : of the file
    fields : where its rows have text and label
    min_texts : labels of fewer texts are left out

    Raises
    ------
    BadRecord, LabelsUnusable
    """
    with path.open("rb") as file:
        rows = LabelledRows(fields, file.readline)
        found, labels_of, n_duplicates = _distinct(rows)
    rows.check_names()
    labelled = [row._replace(label=labels_of[row.text].most_common(1)[0][0]) for row in found]
    counts = Counter(row.label for row in labelled)
    rare = {label: n for label, n in counts.items() if n < min_texts}
    labels = tuple(sorted(counts.keys() - rare))
    _check(labels, rare, min_texts)
    kept = [row for row in labelled if row.label not in rare]
    number = {label: i for i, label in enumerate(labels)}
    told = RowsRead(
        n_rows=rows.n_rows,
        n_without_label=rows.lacking["label"],
        n_without_text=rows.lacking["text"],
        n_unreadable=rows.n_bad - rows.lacking.total(),
        n_duplicates=n_duplicates,
        n_contradictory=sum(len(labels_of[row.text]) > 1 for row in found),
        rare_labels=dict(Counter(rare).most_common(MAX_LABELS)),
        n_without_known_word=0,
        first_bad=[f"line {row.line}: {row.reason}" for row in rows.first_bad],
    )
    classes = np.array([number[row.label] for row in kept], np.int64)
    return Texts([row.text for row in kept], classes, [row.group for row in kept], labels, told)


def _distinct(rows: LabelledRows) -> tuple[list[Labelled], dict[str, Counter[str]], int]:
    """The first row of each text, the labels of each, and how many rows repeat one."""
    found, labels_of = list[Labelled](), dict[str, Counter[str]]()
    n_duplicates = 0
    for row in rows.labelled():
        if row.text in labels_of:
            n_duplicates += 1
        else:
            found.append(row)
            labels_of[row.text] = Counter()
            if len(found) > MAX_TEXTS:
                raise LabelsUnusable(f"There are more than {MAX_TEXTS:,} texts; send some of them.")
        labels_of[row.text][row.label] += 1
    return found, labels_of, n_duplicates


def _check(labels: tuple[str, ...], rare: dict[str, int], min_texts: int) -> None:
    if len(labels) > MAX_LABELS:
        raise LabelsUnusable(f"There are {len(labels):,} labels; {MAX_LABELS} are possible. Is it the right field?")
    if len(labels) < 2:
        told = ", ".join(f"{label!r} ({n})" for label, n in Counter(rare).most_common(5)) or "none"
        raise LabelsUnusable(
            f"A classifier needs two labels or more with {min_texts} different texts each; there "
            f"{'is ' + repr(labels[0]) if labels else 'is none'}. Labels of fewer texts: {told}.",
            labels=list(labels),
        )
