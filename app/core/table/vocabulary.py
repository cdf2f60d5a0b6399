"""The words of a table: UTF-8 bytes with offsets, and counts. Ids go by count, ties by the word's bytes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

import numpy as np
import numpy.typing as npt

WordId = NewType("WordId", int)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words by id; id 0 is the most frequent.

    Parameters
    ----------
    word_bytes : uint8 (n_bytes,), the words' UTF-8, one after the other without separators
    word_offsets : int64 (n_words + 1,), word ``i`` is ``word_bytes[word_offsets[i]:word_offsets[i + 1]]``
    counts : int64 (n_words,), occurrences in the corpus, non-increasing
    """

    word_bytes: npt.NDArray[np.uint8]
    word_offsets: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def from_words(cls, words: Sequence[str], counts: npt.ArrayLike) -> Vocabulary:
        """Keep the words in the order given, which must already be by count, ties by UTF-8 bytes."""
        encoded = [word.encode() for word in words]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(word) for word in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets, np.asarray(counts, np.int64))

    def __len__(self) -> int:
        return len(self.counts)

    def word(self, word_id: int) -> str:
        start, end = self.word_offsets[word_id], self.word_offsets[word_id + 1]
        return self.word_bytes[start:end].tobytes().decode()

    def words(self) -> list[str]:
        return [word.decode() for word in self.encoded_words()]

    def encoded_words(self) -> list[bytes]:
        """The words' UTF-8."""
        blob = self.word_bytes.tobytes()
        offsets = self.word_offsets.tolist()
        return [blob[start:end] for start, end in itertools.pairwise(offsets)]

    def ids(self) -> dict[str, WordId]:
        return {word: WordId(i) for i, word in enumerate(self.words())}

    def ids_of(self, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Where these words are; int64 (n,), -1 for what is not among them."""
        ids = self.ids()
        return np.array([ids.get(word, -1) for word in words], np.int64)
