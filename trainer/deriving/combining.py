"""The step that puts several versions beside each other: combine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.steps import Combine
from app.core.table.arrays import FloatArray
from app.core.table.quantised import UnitVectors
from app.core.table.reading import Table
from app.core.text import TextReader
from trainer.deriving.imputing import Imputed, impute
from trainer.deriving.moments import reduce_to
from trainer.deriving.working import BLOCK, DoubleArray, Facts, Sources, Working, unit

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Space:
    """A version's vectors, and the row there of each word that is combined, int64 (n_words,); -1 for what it lacks."""

    vectors: UnitVectors
    ids: Ids

    @property
    def dim(self) -> int:
        return self.vectors.shape[1]

    def rows(self, words: slice) -> DoubleArray:
        """Unit vectors of some words; zeros for those that it lacks."""
        ids = self.ids[words]
        found = unit(self.vectors[np.maximum(ids, 0)].astype(np.float64))
        found[ids < 0] = 0
        return found


def combine(work: Working, step: Combine, sources: Sources) -> Facts:
    """Weighted unit vectors beside each other; their cosine is the mean of the cosines, weighted by squares."""
    tables = [sources.tables[name] for name in step.with_]
    ids, added = np.arange(len(work.words)), Facts()
    if step.vocabulary == "union":
        ids, added = _add_words(work, tables, sources.reader)
    elif step.vocabulary == "intersection":
        ids = _keep_shared(work, tables)
    found = [table.vocabulary.ids_of(work.words) for table in tables]
    others = [Space(table.unit_vectors, theirs) for table, theirs in zip(tables, found, strict=True)]
    spaces = [Space(work.vectors, ids), *others]
    facts: Facts = {
        "n_words": len(work.words),
        "n_lacking": {name: int(np.count_nonzero(theirs < 0)) for name, theirs in zip(step.with_, found, strict=True)},
        "dims": [space.dim for space in spaces],
    }
    joined, columns = _joined(spaces)
    if step.vocabulary == "union":
        known = np.stack([space.ids >= 0 for space in spaces], axis=1)
        facts |= added | {"imputed": [_told(each, ["first", *step.with_]) for each in impute(joined, columns, known)]}
    for weight, place in zip(step.weights or [], columns, strict=False):
        joined[:, place] *= np.float32(weight)
    work.vectors = joined
    return facts if step.dim is None else facts | reduce_to(work, step.dim)


def _joined(spaces: Sequence[Space]) -> tuple[FloatArray, list[slice]]:
    """The unit vectors beside each other, and which columns are whose."""
    ends = np.cumsum([space.dim for space in spaces]).tolist()
    columns = [slice(end - space.dim, end) for end, space in zip(ends, spaces, strict=True)]
    joined = np.empty((len(spaces[0].ids), ends[-1]), np.float32)
    for start in range(0, len(joined), BLOCK):
        rows = slice(start, start + BLOCK)
        for place, space in zip(columns, spaces, strict=True):
            joined[rows, place] = space.rows(rows)
    return joined, columns


def _told(imputed: Imputed, names: Sequence[str]) -> dict[str, Any]:
    return {
        "to": names[imputed.to],
        "from": [names[i] for i in imputed.given],
        "n_rows": imputed.n_rows,
        "n_shared": imputed.n_shared,
        "explained_variance": float(f"{imputed.explained:.4g}"),
    }


def _keep_shared(work: Working, tables: Sequence[Table]) -> Ids:
    """Keep the words that all have; which rows of the vectors they are now."""
    kept = np.flatnonzero(np.all([table.vocabulary.ids_of(work.words) >= 0 for table in tables], axis=0))
    if not len(kept):
        raise StepImpossible("The versions have no word in common.")
    work.keep(kept)
    return np.arange(len(kept))


def _add_words(work: Working, tables: Sequence[Table], reader: TextReader) -> tuple[Ids, Facts]:
    """Add the words that others have, where they are spelled as queries are read; -1 in the ids stands for them.

    How often such a word occurs is what the other one says, by the ratio of both in shared words.
    """
    places = {word: i for i, word in enumerate(work.words)}
    counts, n_before, n_left_out = work.counts.tolist(), len(places), 0
    for table in tables:
        theirs = table.vocabulary.words()
        shared = np.array([places.get(word, n_before) for word in theirs])
        is_shared = shared < n_before
        if not is_shared.any():
            raise StepImpossible("A version has no word of the first; nothing says what it would have for the others.")
        ratio = work.counts[shared[is_shared]].sum() / table.vocabulary.counts[is_shared].sum()
        for word, count in zip(theirs, table.vocabulary.counts.tolist(), strict=True):
            if word in places:
                continue
            if reader.folded(word).strip() != word:
                n_left_out += 1
                continue
            places[word] = len(places)
            counts.append(max(1, round(count * ratio)))
    order = np.argsort(-np.array(counts, np.int64), kind="stable")
    words = list(places)
    work.words, work.counts = [words[i] for i in order.tolist()], np.array(counts, np.int64)[order]
    n_added = len(words) - n_before
    work.counts_known &= not n_added
    return np.where(order < n_before, order, -1), {"n_added": n_added, "n_spelled_otherwise": n_left_out}
