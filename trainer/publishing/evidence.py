"""What the corpus shows of the most frequent words, counted after a training: see `app.core.table.evidence`.

Passages are stored as ids and not as places in the corpus: that may be deleted, and no question reads storage. They are
the text as the training read it, without the words that the vocabulary lacks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.table.evidence import context_masses
from app.core.table.manifest import EvidenceDescription
from trainer.corpus.encode import EncodedCorpus
from trainer.kernels.contexts import choose_contexts, choose_examples, count_pairs, write_positions
from trainer.steps.arrays import Doubles, Ids, Integers
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, Report

MOST_EXPLAINED = 20_000
"""Words that get evidence, the most frequent ones."""
MOST_CONTEXT_WORDS = 10_000
"""Words that can be contexts, the most frequent ones: rarer ones are seldom shared, and sums of these fit a cache."""
# Of all 67,889 words of the enwiki benchmark, those of "king" were ghidorah, shiroshimesu, ottokar, theudebert; of
# 10,000 they are luther, kong, crowned, castile, judah, and the counting takes two thirds of the time.
N_CONTEXTS = 50
N_EXAMPLES, N_PASSAGE_WORDS = 12, 16
SMOOTHING = 0.75
GROUPS = 2
"""Parts a thread that the words are taken in, at least where there are so many; each reads the whole corpus once."""
FEWEST_PLACES, MOST_PLACES = 1 << 18, 1 << 26
"""Places of a part, but for a single word that has more: 4 bytes each, a part a thread."""
ROWS = 64
"""Words between two looks at whether to stop."""

PAIR_SECONDS = 2e-8
"""Of counting one pair of tokens, on one core."""


def expected_seconds(n_tokens: int, window: int, threads: int) -> dict[str | None, float]:
    """How long the only step will take."""
    return {None: 2 * window * n_tokens * PAIR_SECONDS / threads}


def find(
    corpus: EncodedCorpus, window: int, threads: int, report: Report
) -> tuple[dict[str, npt.NDArray[Any]], EvidenceDescription]:
    """Count the pairs of a corpus and keep what is strongest.

    The result is the same for any number of threads. Takes 12 bytes of memory for each context, 4 for each word of a
    passage, and 4 for each place of the words that are counted at a time.

    Parameters
    ----------
    corpus : EncodedCorpus
    window : words on each side that make pairs; it does not shrink as in a training, and is not weighted by distance
    threads : how many count
    report : called about twice a second

    Returns
    -------
    the arrays of `app.core.table.arrays.EVIDENCE`, and how they were made
    """
    started = time.monotonic()
    report(Progress(0.0))
    search = _Search(corpus, window)
    search.run(threads, report)
    arrays: dict[str, npt.NDArray[Any]] = {
        "context_ids": search.ids,
        "context_counts": search.counts,
        "pair_totals": search.totals,
        "example_ids": search.examples,
    }
    return arrays, EvidenceDescription(
        window=window,
        smoothing=SMOOTHING,
        n_words=len(search.ids),
        n_context_words=len(search.weights),
        n_bytes=sum(array.nbytes for array in arrays.values()),
        seconds=round(time.monotonic() - started, 3),
    )


@dataclass(frozen=True, eq=False)
class _Scratch:
    """Memory of one thread."""

    sums: npt.NDArray[Any]
    touched: Ids
    ranks: Ids

    @classmethod
    def new(cls, n_columns: int, largest: int) -> _Scratch:
        """For so many contexts, none of which is counted more often than `largest`."""
        sums = np.zeros(n_columns + 1, np.uint32 if largest < 2**32 else np.uint64)
        return cls(sums, np.empty(n_columns + 2, np.int32), np.full(n_columns, -1, np.int32))


class _Search:
    def __init__(self, corpus: EncodedCorpus, window: int) -> None:
        self.corpus_ids, self.window = _read_only(corpus.ids), window
        n_words = len(corpus.vocabulary)
        n_explained, n_columns = min(n_words, MOST_EXPLAINED), min(n_words, MOST_CONTEXT_WORDS)
        self.word_counts, self.totals = np.zeros(n_words, np.int64), np.zeros(n_words, np.int64)
        count_pairs(self.corpus_ids, window, self.word_counts, self.totals)
        self.least, self.weights = self._bars(n_columns)
        n_contexts = min(N_CONTEXTS, n_columns)
        self.ids = np.full((n_explained, n_contexts), -1, np.int32)
        self.counts = np.zeros((n_explained, n_contexts), np.int64)
        self.examples = np.full((n_explained, N_EXAMPLES, N_PASSAGE_WORDS), -1, np.int32)

    def _bars(self, n_columns: int) -> tuple[Doubles, Doubles]:
        """What a word's count x weight must exceed for a positive PMI, and the weights, which order as PMI does."""
        masses = context_masses(self.totals, SMOOTHING)
        with np.errstate(divide="ignore"):
            weights = np.where(masses > 0, 1 / masses, 0.0)[:n_columns]
        return self.totals / max(float(masses.sum()), 1.0), weights

    def run(self, threads: int, report: Report) -> None:
        scratch: SimpleQueue[_Scratch] = SimpleQueue()
        for _ in range(threads):
            scratch.put(_Scratch.new(len(self.weights), int(self.totals.max())))
        done = 0

        def task(words: tuple[int, int]) -> tuple[int, int]:
            mine = scratch.get()
            try:
                self._explain(words, mine, crew)
            finally:
                scratch.put(mine)
            return words

        n_places = max(int(self.word_counts[: len(self.ids)].sum()), 1)
        with Crew(threads, lambda: report(Progress(done / n_places))) as crew:
            for first, last in crew.in_order(task, self._groups(n_places // (GROUPS * threads))):
                done += int(self.word_counts[first:last].sum())
        report(Progress(1.0))

    def _groups(self, wanted: int) -> Iterator[tuple[int, int]]:
        """Runs of words that have the wanted number of places, as far as single words and the limits let them."""
        most = min(max(wanted, FEWEST_PLACES), MOST_PLACES)
        before = np.concatenate([[0], np.cumsum(self.word_counts[: len(self.ids)])])
        first = 0
        while first < len(self.ids):
            last = max(int(np.searchsorted(before, before[first] + most, side="right")) - 1, first + 1)
            yield first, last
            first = last

    def _explain(self, words: tuple[int, int], scratch: _Scratch, crew: Crew) -> None:
        """Write the rows of some words."""
        first, last = words
        starts = np.concatenate([[0], np.cumsum(self.word_counts[first:last])])
        positions = self._positions(words, starts)
        for row in range(first, last, ROWS):
            if crew.is_stopping:
                return
            rows = row, min(row + ROWS, last)
            near = self.corpus_ids, (positions, starts[row - first : rows[1] - first + 1]), rows, self.window
            memory = scratch.sums, scratch.touched
            choose_contexts(*near, self.weights, self.least, *memory, self.ids, self.counts)
            choose_examples(*near, self.ids, scratch.ranks, self.examples)

    def _positions(self, words: tuple[int, int], starts: Integers) -> npt.NDArray[Any]:
        positions = np.empty(starts[-1], np.int32 if len(self.corpus_ids) < 2**31 else np.int64)
        write_positions(self.corpus_ids, words, starts[:-1].copy(), positions)
        return positions


def _read_only(ids: Ids) -> Ids:
    """The same memory under one type, so that the kernels are compiled once, whether it is mapped or not."""
    view = np.asarray(ids).view()
    view.flags.writeable = False
    return view
