"""Find words of a table without building anything: a hash table and an alphabetical order, stored with it.

A dictionary of a million words takes seconds to build and 150 MB in every process; these arrays are written once by the
trainer and read in no time.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from app.core.table.vocabulary import Vocabulary, WordId

EMPTY = -1


def _hash(word: bytes) -> int:
    # a cryptographic hash: whoever uploads a corpus chooses the words, and must not choose the collisions
    return int.from_bytes(blake2b(word, digest_size=8).digest(), "little")


def word_slots(vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Word ids in an open-addressing table, int32 (power of two, at least twice the words), `EMPTY` where free."""
    n_slots = 1 << max(1, (2 * len(vocabulary) - 1).bit_length())
    slots = [EMPTY] * n_slots
    for word_id, word in enumerate(vocabulary.encoded_words()):
        slot = _hash(word) & (n_slots - 1)
        while slots[slot] != EMPTY:
            slot = (slot + 1) & (n_slots - 1)
        slots[slot] = word_id
    return np.array(slots, np.int32)


def word_order(vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Word ids by the words' UTF-8 bytes, which is by code point; int32 (n_words,)."""
    words = vocabulary.encoded_words()
    return np.array(sorted(range(len(words)), key=words.__getitem__), np.int32)


class WordLookup:
    """Words by id, ids by word and by prefix; reads the arrays in place.

    Parameters
    ----------
    vocabulary : Vocabulary
    slots : int32, from `word_slots`
    order : int32 (n_words,), from `word_order`
    """

    def __init__(self, vocabulary: Vocabulary, slots: npt.NDArray[np.int32], order: npt.NDArray[np.int32]) -> None:
        # memory views give Python ints and bytes several times faster than numpy scalars and slices do
        self._bytes = vocabulary.word_bytes.data
        self._offsets = vocabulary.word_offsets.data
        self._slots = slots.data
        self._mask = len(slots) - 1
        self._order = order
        self._order_view = order.data

    def word(self, word_id: int) -> str:
        return str(self._bytes[self._offsets[word_id] : self._offsets[word_id + 1]], "utf-8")

    def find(self, word: str) -> WordId | None:
        encoded = word.encode()
        slot = _hash(encoded) & self._mask
        while (word_id := self._slots[slot]) != EMPTY:
            if self._bytes[self._offsets[word_id] : self._offsets[word_id + 1]] == encoded:
                return WordId(word_id)
            slot = (slot + 1) & self._mask
        return None

    def starting_with(self, prefix: str) -> npt.NDArray[np.int32]:
        """Ids of all words with this prefix, by the words' bytes."""
        encoded = prefix.encode()
        start = self._position(encoded)
        # no UTF-8 holds the byte 0xff, so this lies behind every word with the prefix
        end = self._position(encoded + b"\xff")
        return self._order[start:end]

    def _position(self, encoded: bytes) -> int:
        return bisect_left(self._order_view, encoded, key=self._word_bytes)

    def _word_bytes(self, word_id: int) -> bytes:
        return bytes(self._bytes[self._offsets[word_id] : self._offsets[word_id + 1]])
