"""What a whole training will need, from the size of its corpus: time, memory, and space."""

from __future__ import annotations

from app.core.costs import EXPECTED, corpus, glove, publishing
from app.core.costs.needs import Needs
from app.core.hyperparameters import (
    ALGORITHMS,
    FastTextHyperparameters,
    GloVeHyperparameters,
    Hyperparameters,
)
from app.core.payloads import TrainPayload
from app.core.table.limits import NEIGHBORS_BYTES, IndexLimits, n_covered

START_SECONDS = 4.0
"""Of the process: it imports and loads kernels that are compiled."""
PROCESS_BYTES = 240 << 20
"""Of the process before it has read anything."""
WORD_BYTES = 600
"""Of a word and its spellings, while the corpus is read."""
NGRAMS_A_WORD = 6
"""Rows of n-grams that no other word has had."""
IDS = 2
"""Numbers that are written for each token while it is read, of 4 bytes."""
CELL_BYTES = 12
"""Of GloVe's table on disk."""
EVIDENCE_BYTES, SHOWN = 1400, 20_000
"""Of the evidence of a word, and how many words have it."""
USUAL_MIN_COUNT, RARER = 5, 0.7
"""Vocabularies are so large at this `min_count`, and shrink by this power of it."""


def needs(payload: TrainPayload, n_tokens: int, threads: int) -> Needs:
    """What is expected of a training of so many tokens on so many threads, unless it says others itself."""
    threads = payload.hyperparameters.get("threads") or threads
    chosen = ALGORITHMS[payload.algorithm].model_validate(payload.hyperparameters | {"threads": threads})
    n_types = corpus.TYPES_A_ROOT * n_tokens**0.5 * (USUAL_MIN_COUNT / chosen.min_count) ** RARER
    n_words = min(int(n_types) + 2, chosen.max_words or n_tokens + 2, n_tokens + 2)
    training = sum(EXPECTED[payload.algorithm](n_tokens, chosen, threads).values())
    limits = IndexLimits(payload.index)
    ending = sum(publishing.expected_seconds(n_words, chosen.dim, limits, threads=threads).values())
    reading = corpus.expected_seconds(payload.corpus.n_bytes, threads, payload.text)
    rows = _rows(chosen, n_words, has_start=payload.start is not None)
    kept = n_words * chosen.dim * 4 * (2 if payload.continuable else 1)
    beside = n_covered(n_words, chosen.dim) * NEIGHBORS_BYTES
    if payload.evidence:
        beside += min(n_words, SHOWN) * EVIDENCE_BYTES
    return Needs(
        START_SECONDS + reading + training * payload.replicas + ending,
        PROCESS_BYTES + n_words * WORD_BYTES + max(rows, publishing.graph_bytes(n_words, chosen.dim, limits)),
        n_tokens * IDS * 4 + _cells(chosen, n_tokens),
        kept + beside,
    )


def _rows(chosen: Hyperparameters, n_words: int, *, has_start: bool) -> int:
    """Bytes of the tables in memory: both, and a copy that is published."""
    if isinstance(chosen, GloVeHyperparameters):
        return 20 * n_words * chosen.dim
    n_rows = (7 if has_start else 3) * n_words
    if isinstance(chosen, FastTextHyperparameters):
        n_rows += 2 * min(NGRAMS_A_WORD * n_words, chosen.n_buckets)
    return n_rows * chosen.dim * 4


def _cells(chosen: Hyperparameters, n_tokens: int) -> int:
    """Bytes of GloVe's table on disk."""
    if not isinstance(chosen, GloVeHyperparameters):
        return 0
    return int(n_tokens * chosen.window * glove.CELLS_A_PAIR) * CELL_BYTES
