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
from app.core.table.composing import Composer, composer_of
from app.core.table.quantised import UnitVectors
from app.core.table.reading import Table
from app.core.text import TextReader
from trainer.deriving.imputing import Imputed, impute
from trainer.deriving.moments import reduce_to
from trainer.deriving.working import BLOCK, DoubleArray, Facts, Sources, Working, unit

Ids = npt.NDArray[np.int64]
Known = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Space:
    """A version's vectors for the words that are combined.

    Parameters
    ----------
    words : the words
    vectors : of the version
    ids : int64 (n_words,), the row of each word, -1 for what the vocabulary lacks
    composer : gives vectors to words that the vocabulary lacks, if the version has one
    """

    words: Sequence[str]
    vectors: UnitVectors
    ids: Ids
    composer: Composer | None = None

    @classmethod
    def of(cls, table: Table, words: Sequence[str]) -> Space:
        """A version as it answers these words: as far as it can, it composes what its vocabulary lacks."""
        return cls(words, table.unit_vectors, table.vocabulary.ids_of(words), composer_of(table))

    @property
    def dim(self) -> int:
        return self.vectors.shape[1]

    def rows(self, words: slice) -> DoubleArray:
        """Unit vectors of some words; zeros for those that it lacks."""
        ids = self.ids[words]
        found = unit(self.vectors[np.maximum(ids, 0)].astype(np.float64))
        found[ids < 0] = 0
        if self.composer is not None:
            for row in np.flatnonzero(ids < 0).tolist():
                composed = self.composer.compose(self.words[words.start + row])
                found[row] = 0 if composed is None else composed.direction
        return found


def combine(work: Working, step: Combine, sources: Sources) -> Facts:
    """Weighted unit vectors beside each other; their cosine is the mean of the cosines, weighted by squares."""
    tables = [sources.tables[name] for name in step.with_]
    ids, added = np.arange(len(work.words)), Facts()
    if step.vocabulary == "union":
        ids, added = _add_words(work, tables, sources.reader)
    spaces = [Space(work.words, work.vectors, ids), *(Space.of(table, work.words) for table in tables)]
    joined, columns, known = _joined(spaces)
    facts = _found(step, spaces, known)
    if step.vocabulary == "intersection":
        joined = _keep_shared(work, joined, known)
    elif step.vocabulary == "union":
        facts |= added | {"imputed": [_told(each, ["first", *step.with_]) for each in impute(joined, columns, known)]}
    for weight, place in zip(step.weights or [], columns, strict=False):
        joined[:, place] *= np.float32(weight)
    work.vectors = joined
    return facts if step.dim is None else facts | reduce_to(work, step.dim)


def _joined(spaces: Sequence[Space]) -> tuple[FloatArray, list[slice], Known]:
    """The unit vectors beside each other, which columns are whose, and which words each space has."""
    ends = np.cumsum([space.dim for space in spaces]).tolist()
    columns = [slice(end - space.dim, end) for end, space in zip(ends, spaces, strict=True)]
    joined = np.empty((len(spaces[0].ids), ends[-1]), np.float32)
    known = np.empty((len(joined), len(spaces)), np.bool_)
    for start in range(0, len(joined), BLOCK):
        rows = slice(start, start + BLOCK)
        for i, (place, space) in enumerate(zip(columns, spaces, strict=True)):
            joined[rows, place] = space.rows(rows)
            known[rows, i] = joined[rows, place].any(axis=1)
    return joined, columns, known


def _found(step: Combine, spaces: Sequence[Space], known: Known) -> Facts:
    """What the versions have of the words that stay."""
    stays = known.all(axis=1) if step.vocabulary == "intersection" else np.ones(len(known), np.bool_)
    others = list(zip(step.with_, spaces[1:], known[stays, 1:].T, strict=True))
    facts: Facts = {
        "n_words": int(np.count_nonzero(stays)),
        "n_lacking": {name: int(np.count_nonzero(~theirs)) for name, _, theirs in others},
        "dims": [space.dim for space in spaces],
    }
    composed = {
        name: int(np.count_nonzero(theirs & (space.ids[stays] < 0))) for name, space, theirs in others if space.composer
    }
    return facts | ({"n_composed": composed} if composed else {})


def _told(imputed: Imputed, names: Sequence[str]) -> dict[str, Any]:
    return {
        "to": names[imputed.to],
        "from": [names[i] for i in imputed.given],
        "n_rows": imputed.n_rows,
        "n_shared": imputed.n_shared,
        "explained_variance": float(f"{imputed.explained:.4g}"),
    }


def _keep_shared(work: Working, joined: FloatArray, known: Known) -> FloatArray:
    """Keep the words that all have, and their rows."""
    kept = np.flatnonzero(known.all(axis=1))
    if not len(kept):
        raise StepImpossible("The versions have no word in common.")
    work.keep(kept)
    return joined[kept]


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
