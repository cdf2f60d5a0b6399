"""Near spellings of a word that the vocabulary lacks."""

from __future__ import annotations

import unicodedata
from contextvars import ContextVar

from app.core.table.reading import Table

N_SUGGESTIONS = 3
MAX_WORDS = 16
"""Words of one request that get near spellings; each looks through the frequent words."""
CONSIDERED = 50_000
"""The most frequent words; looking through more would keep others waiting, and rare words are rarely meant."""
AT_A_TIME = 5_000
MAX_LENGTH = 64
REMEMBERED = 4096


class Allowance:
    """How many words of one request may still get near spellings."""

    def __init__(self) -> None:
        self._n_left = MAX_WORDS

    def take(self) -> bool:
        self._n_left -= 1
        return self._n_left >= 0


allowance: ContextVar[Allowance] = ContextVar("allowance")
"""Of the request that is answered; a question alone has one of its own."""


class Suggestions:
    """Near spellings by edit distance with transpositions, on decomposed letters.

    Decomposed, a Hangul syllable is its jamo and an accent a letter of its own, so that one wrong stroke is one edit.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._spellings: list[str] | None = None
        self._known: dict[str, list[str]] = {}

    def near(self, word: str) -> list[str]:
        """Up to `N_SUGGESTIONS` words, nearest first, ties by frequency."""
        if len(word) > MAX_LENGTH:
            return []  # and is not remembered: such words would fill the memory
        near = self._known.get(word)
        if near is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            near = self._known[word] = self._near(word)
        return near

    def _near(self, word: str) -> list[str]:
        from rapidfuzz import process  # noqa: PLC0415 (many modules, which only unknown words need)
        from rapidfuzz.distance import OSA  # noqa: PLC0415 (as above)

        spelling = unicodedata.normalize("NFD", word)
        if not 1 < len(spelling) <= MAX_LENGTH:
            return []
        found: list[tuple[int, int]] = []
        spellings = self._decomposed()
        for start in range(0, len(spellings), AT_A_TIME):
            matches = process.extract(
                spelling,
                spellings[start : start + AT_A_TIME],
                scorer=OSA.distance,
                processor=None,
                score_cutoff=max(1, len(spelling) // 3),
                limit=N_SUGGESTIONS,
            )
            found += [(int(distance), start + position) for _, distance, position in matches]
        return [self._table.lookup.word(word_id) for _, word_id in sorted(found)[:N_SUGGESTIONS]]

    def _decomposed(self) -> list[str]:
        if self._spellings is None:
            word = self._table.lookup.word
            n_considered = min(CONSIDERED, len(self._table.vocabulary))
            self._spellings = [unicodedata.normalize("NFD", word(i)) for i in range(n_considered)]
        return self._spellings
