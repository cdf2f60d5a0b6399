"""How much a corpus of so many bytes will turn out to be, and how long it takes to read, before it is read."""

from __future__ import annotations

from app.core.text import TextSpec

TOKEN_BYTES = 6
"""Of an average word with the blank after it; English has 5 to 6, Korean in UTF-8 some 9."""
TYPES_A_ROOT = 16
"""Words of a vocabulary for each square root of the tokens (Heaps' law): 68,000 of 17 million, at min_count 5."""
BYTES_PER_SECOND = 50e6
"""Read on one core."""


def expected_tokens(n_bytes: int) -> int:
    return max(n_bytes // TOKEN_BYTES, 1)


def expected_words(n_bytes: int, max_words: int | None) -> int:
    return max(2, min(int(TYPES_A_ROOT * expected_tokens(n_bytes) ** 0.5), max_words or 1 << 31))


def expected_seconds(n_bytes: int, threads: int, spec: TextSpec) -> float:
    """Of the reading, as the spec says."""
    tokenizing = spec.options.expected_seconds(n_bytes, threads) if spec.options else 0.0
    return n_bytes / BYTES_PER_SECOND / threads + tokenizing
