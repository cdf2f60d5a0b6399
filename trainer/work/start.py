"""The version that a training goes on from: what it knows, brought to the words of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.hyperparameters import Hyperparameters
from app.core.names import reference
from app.core.payloads import StartSource
from app.core.table.arrays import PARENT_ROWS, Arrays
from app.core.table.continuation import is_continued_by, read_continuation
from app.core.table.manifest import StartOrigin
from app.core.table.parts import Ngrams
from app.core.table.reading import Table
from trainer.algorithms.algorithm import Start
from trainer.corpus.encode import EncodedCorpus
from trainer.publishing.publish import Kept
from trainer.steps.checkpoint import fingerprint
from trainer.work.composed import with_new_words

MOST_NAMED = 10
"""Words that an error names."""


@dataclass(frozen=True, eq=False)
class Parent:
    """The version, and what was said of it."""

    table: Table
    said: StartSource

    @property
    def name(self) -> str:
        return reference(self.said.version.model, self.said.version.version)

    def is_refitted(self, algorithm: str, chosen: Hyperparameters) -> bool:
        """Whether an epoch more fits what the version has not kept."""
        return not is_continued_by(self.table.manifest, algorithm, chosen)

    def start(self, corpus: EncodedCorpus, algorithm: str, chosen: Hyperparameters) -> Start:
        """What the training goes on from: known words, and new ones as the version's n-grams compose them.

        Raises
        ------
        StepImpossible
            Words that were to be frozen are not there.
        """
        rows = np.flatnonzero(corpus.known_ids >= 0)
        ids, table = corpus.known_ids[rows].astype(np.int64), self.table
        others: Arrays | None = None
        if not self.is_refitted(algorithm, chosen):
            whole = read_continuation(table.folder, len(table.vocabulary), chosen.rows_beside)
            others = {name: array[rows] for name, array in whole.items()}
        shares = table.vocabulary.counts[rows] / corpus.vocabulary.counts[ids]
        start = Start(
            ids=ids,
            shares=shares.astype(np.float32),
            vectors=table.unit_vectors[rows] * table.norms[rows, None],
            others=others,
            is_frozen=self._frozen()[rows],
            anchor_strength=self.said.anchor_strength,
            name=fingerprint(self.said.model_dump_json()),
            parts=table.parts,
        )
        has_ngrams = table.parts is not None and isinstance(table.parts.composition, Ngrams)
        return start if algorithm == "fasttext" or not has_ngrams else with_new_words(start, corpus.vocabulary)

    def rows(self, corpus: EncodedCorpus) -> Arrays:
        """Where its words are now, as the table stores it."""
        return {PARENT_ROWS: corpus.known_ids}

    def origin(self, start: Start, corpus: EncodedCorpus) -> StartOrigin:
        """What the manifest says of it."""
        is_known = corpus.known_ids >= 0
        before, ids = self.table.vocabulary.counts[is_known], corpus.known_ids[is_known]
        numbers = {
            "known": len(ids),
            "new": len(corpus.vocabulary) - len(ids),
            "composed": len(start.ids) - len(ids),
            "left_out": len(corpus.known_ids) - len(ids),
            "absent": int(np.count_nonzero(before == corpus.vocabulary.counts[ids])),
            "frozen": int(np.count_nonzero(start.is_frozen)),
        }
        parent, strength = self.said.version.origin(), start.anchor_strength
        return StartOrigin(parent=parent, words=numbers, anchor_strength=strength, refitted=start.others is None)

    def kept(self, corpus: EncodedCorpus, is_kept: npt.NDArray[np.bool_]) -> Kept:
        """The words whose vectors have not changed, bool (n_words,), and how they were published."""
        rows = np.flatnonzero(corpus.known_ids >= 0)
        rows = rows[is_kept[corpus.known_ids[rows]]]
        return Kept(corpus.known_ids[rows], self.table.unit_vectors[rows], self.table.norms[rows])

    def _frozen(self) -> npt.NDArray[np.bool_]:
        """Which of its words are frozen."""
        said = self.said.freeze
        if not isinstance(said, tuple):
            return np.full(len(self.table.vocabulary), said == "parent")
        reader = self.table.reader
        ids = self.table.vocabulary.ids_of([reader.folded(word) for word in said])
        if (ids < 0).any():
            missing = [word for word, i in zip(said, ids.tolist(), strict=True) if i < 0]
            shown = ", ".join(map(repr, missing[:MOST_NAMED]))
            raise StepImpossible(
                f"start.freeze: {len(missing)} of {len(said)} words are not in {self.name}: {shown}.",
                missing=missing[:MOST_NAMED],
            )
        is_frozen = np.zeros(len(self.table.vocabulary), np.bool_)
        is_frozen[ids] = True
        return is_frozen
