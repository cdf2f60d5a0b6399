"""Whether a table from elsewhere is what publishing would have written, as far as that is computed in little time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.core.names import MAX_WORD_BYTES
from app.core.table.lookup import word_order, word_slots
from app.core.table.parts import MAX_TOKENIZER_BYTES, TOKENIZER
from app.core.table.reading import Table
from trainer.importing.tokens import unreadable

BLOCK = 1 << 12
"""Rows that are worked on at a time."""
TOLERANCE = 1e-5
MAX_TOKENS = 2**62


def unsound(table: Table) -> str | None:
    """What is not as it should be; None if nothing is."""
    return (
        _wrong_vectors(table)
        or _wrong_words(table)
        or _wrong_neighbors(table)
        or _wrong_evidence(table)
        or _wrong_parts(table)
    )


def _wrong_vectors(table: Table) -> str | None:
    for rows in _blocks(len(table.unit_vectors)):
        block = table.unit_vectors[rows].astype(np.float64)
        lengths = np.sqrt((block * block).sum(axis=1))
        is_unit = np.abs(lengths - 1) <= TOLERANCE
        if not is_unit.all():
            return f"unit vector {rows.start + int(np.argmin(is_unit))} is not of length 1"
    if not (np.isfinite(table.norms) & (table.norms > 0)).all():
        return "there are lengths of vectors that are not finite, or not above 0"
    if not abs(float(np.linalg.norm(table.text_component.astype(np.float64))) - 1) <= TOLERANCE:
        return "the component of texts is not of length 1"
    return None


def _wrong_words(table: Table) -> str | None:
    vocabulary = table.vocabulary
    counts, offsets = vocabulary.counts, vocabulary.word_offsets
    if counts[-1] < 1 or (np.diff(counts) > 0).any() or counts.sum(dtype=np.float64) > MAX_TOKENS:
        return "the counts of words are not above 0 and ordered"
    if offsets.min() < 0 or offsets.max() > len(vocabulary.word_bytes) or np.diff(offsets).max() > MAX_WORD_BYTES:
        return f"there are words of more than {MAX_WORD_BYTES} bytes"
    words = vocabulary.words()  # raises UnicodeDecodeError, which is a ValueError
    if len(set(words)) != len(words):
        return "a word comes twice"
    if not np.array_equal(table.arrays["word_slots"], word_slots(vocabulary)):
        return "word_slots are not those of the words"
    if not np.array_equal(table.arrays["word_order"], word_order(vocabulary)):
        return "word_order is not the words' order"
    return None


def _wrong_neighbors(table: Table) -> str | None:
    ids, scores = table.neighbors.ids, table.neighbors.scores
    for rows in _blocks(len(ids) if ids.shape[1] else 0, max(BLOCK // ids.shape[1], 1) if ids.shape[1] else 1):
        some = ids[rows]
        is_itself = some == np.arange(len(ids))[rows, None]
        if is_itself.any() or (np.diff(np.sort(some, axis=1), axis=1) == 0).any():
            return "a word is its own neighbor, or one is listed twice"
        cosines = np.einsum("id,ikd->ik", table.unit_vectors[rows], table.unit_vectors[some], dtype=np.float64)
        if not (np.abs(scores[rows] - cosines) <= TOLERANCE).all() or (np.diff(scores[rows], axis=1) > 0).any():
            return "the scores of neighbors are not their cosines, the highest first"
    return None


def _wrong_evidence(table: Table) -> str | None:
    if (evidence := table.evidence) is None:
        return None
    ids, counts, totals = evidence.context_ids, evidence.context_counts, evidence.pair_totals
    if not ids.shape[1] or ((ids >= 0) != (counts > 0)).any() or (np.diff(ids < 0, axis=1) & (ids[:, 1:] >= 0)).any():
        return "contexts are not all counted, or stand behind those that are missing"
    if (counts > np.minimum(totals[: len(ids), None], totals[ids])).any() or totals.sum(dtype=np.float64) > MAX_TOKENS:
        return "a pair was counted more often than its words"
    return None


def _wrong_parts(table: Table) -> str | None:
    if (parts := table.parts) is None:
        return None
    if not all(np.isfinite(parts.vectors[rows]).all() for rows in _blocks(len(parts.vectors))):
        return "there are parts of words with numbers that are not finite"
    if parts.token_words is None:
        return None
    digest = table.manifest.files[TOKENIZER]
    if digest.n_bytes > MAX_TOKENIZER_BYTES:
        return f"{TOKENIZER} has {digest.n_bytes} bytes; {MAX_TOKENIZER_BYTES} are read"
    return unreadable((table.folder / TOKENIZER).read_bytes(), len(parts.token_words))


def _blocks(n_rows: int, n: int = BLOCK) -> Iterator[slice]:
    return (slice(start, min(start + n, n_rows)) for start in range(0, n_rows, n))
