"""What the corpus showed of the most frequent words: their strongest contexts, exact counts, and passages.

A pair is a word and a context, which stands within the window of it on the same line. Windows do not shrink, and each
pair counts 1. The measure of a pair is positive pointwise mutual information with smoothed contexts (Levy, Goldberg and
Dagan 2015, "Improving distributional similarity", section 3.1 and context distribution smoothing), in nats:

    PPMI(word, context) = max(0, log(P(word, context) / (P(word) P_s(context))))

``P_s(context)`` is in proportion to the pairs of the context to the power of 0.75, so that rare contexts are not the
strongest of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.core.table.manifest import EvidenceDescription

_ROUNDING = 1 + 1e-9
"""Of limits that are compared with whole numbers."""


@dataclass(frozen=True, slots=True)
class Context:
    """A context of a word: its id, how often it stands near the word, and the PPMI of the pair."""

    id: int
    count: int
    ppmi: float


@dataclass(frozen=True, slots=True)
class Cooccurrence:
    """How often two words stand near each other. Where that was not kept, `count` is None; it is `at_most` that."""

    count: int | None
    at_most: int


def context_masses(totals: npt.NDArray[np.int64], smoothing: float) -> npt.NDArray[np.float64]:
    """What the probabilities of contexts are in proportion to, float64 (n_words,), by how many pairs they are in."""
    masses: npt.NDArray[np.float64] = totals.astype(np.float64) ** smoothing
    return masses


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of a table.

    Parameters
    ----------
    described : how it was counted
    context_ids : int32 (n_explained, n_contexts), of each of the most frequent words the contexts of the largest PPMI,
        largest first, ties by id; -1 behind them
    context_counts : int64 (n_explained, n_contexts), how often each was counted
    pair_totals : int64 (n_words,), how many pairs a word is in
    example_ids : int32 (n_explained, n_examples, n_passage_words), passages of the corpus with a word and a context of
        it; -1 behind them
    """

    described: EvidenceDescription
    context_ids: npt.NDArray[np.int32]
    context_counts: npt.NDArray[np.int64]
    pair_totals: npt.NDArray[np.int64]
    example_ids: npt.NDArray[np.int32]

    @property
    def n_explained(self) -> int:
        return len(self.context_ids)

    def contexts(self, word: int) -> list[Context]:
        """All that are kept of a covered word, the strongest first."""
        ids, counts = self.context_ids[word].tolist(), self.context_counts[word].tolist()
        pairs = zip(ids, counts, strict=True)
        return [Context(other, count, self.ppmi(word, other, count)) for other, count in pairs if other >= 0]

    def ppmi(self, word: int, context: int, count: int) -> float:
        """Of a pair that was counted so often, in nats."""
        total = int(self.pair_totals[word]) * self._mass(context)
        return max(0.0, math.log(count * self._all_masses / total)) if count and total else 0.0

    def cooccurrence(self, one: int, other: int) -> Cooccurrence:
        """Of any two words: exact if one is a kept context of the other, or cannot stand near it."""
        limits = [int(self.pair_totals[one]), int(self.pair_totals[other])]
        for word, context in ((one, other), (other, one)):
            if word >= self.n_explained:
                continue
            kept = np.flatnonzero(self.context_ids[word] == context)
            if len(kept):
                count = int(self.context_counts[word, kept[0]])
                return Cooccurrence(count, count)
            if context < self.described.n_context_words:
                limits.append(self._limit(word, context))
        at_most = min(limits)
        return Cooccurrence(None if at_most else 0, at_most)

    def passages(self, one: int, other: int) -> Iterator[list[int]]:
        """Ids of the words of each passage that has both within the window."""
        told: list[list[int]] = []
        for word, near in ((one, other), (other, one)):
            passages = self.example_ids[word : word + 1].reshape(-1, self.example_ids.shape[2])  # none if not covered
            for passage in passages[(passages == near).any(axis=1)].tolist():
                ids = [i for i in passage if i >= 0]
                if ids not in told and self._has_both(ids, one, other):
                    told.append(ids)
                    yield ids

    def _limit(self, word: int, context: int) -> int:
        """How often a context can stand near a covered word that does not have it among its kept ones."""
        mass = self._mass(context)
        if not mass:
            return 0
        last, count = int(self.context_ids[word, -1]), int(self.context_counts[word, -1])
        if last >= 0:
            ratio = count / self._mass(last) if self._mass(last) else math.inf
        else:
            ratio = int(self.pair_totals[word]) / self._all_masses
        return int(min(ratio * mass * _ROUNDING, 2.0**62))

    def _has_both(self, ids: list[int], one: int, other: int) -> bool:
        window = self.described.window
        places = [place for place, i in enumerate(ids) if i == one]
        return any(
            i == other and place != at and abs(place - at) <= window for place, i in enumerate(ids) for at in places
        )

    def _mass(self, context: int) -> float:
        return float(int(self.pair_totals[context]) ** self.described.smoothing)

    @cached_property
    def _all_masses(self) -> float:
        return float(context_masses(self.pair_totals, self.described.smoothing).sum())
