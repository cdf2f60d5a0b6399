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

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_PAIRS = (
    "ㅘㅗㅏ ㅙㅗㅐ ㅚㅗㅣ ㅝㅜㅓ ㅞㅜㅔ ㅟㅜㅣ ㅢㅡㅣ "
    "ㄳㄱㅅ ㄵㄴㅈ ㄶㄴㅎ ㄺㄹㄱ ㄻㄹㅁ ㄼㄹㅂ ㄽㄹㅅ ㄾㄹㅌ ㄿㄹㅍ ㅀㄹㅎ ㅄㅂㅅ"
)
_TWO_KEYS = {pair[0]: pair[1:] for pair in _PAIRS.split()}
_JAMO = {
    first + place: jamo
    for first, listed in ((0x1100, _INITIALS), (0x1161, _VOWELS), (0x11A8, _FINALS))
    for place, jamo in enumerate(listed)
}
_KEYS = {point: _TWO_KEYS.get(jamo, jamo) for point, jamo in (_JAMO | {ord(jamo): jamo for jamo in _TWO_KEYS}).items()}
"""Of conjoining jamo, and of single ones."""


class Allowance:
    """How many words of one request may still get near spellings."""

    def __init__(self) -> None:
        self._n_left = MAX_WORDS

    def take(self) -> bool:
        self._n_left -= 1
        return self._n_left >= 0


allowance: ContextVar[Allowance] = ContextVar("allowance")
"""Of the request that is answered; a question alone has one of its own."""


def keys_of(word: str) -> str:
    """A word by the keys that type it: an accent is a letter of its own, and Hangul the jamo of a keyboard.

    There a consonant has one key wherever it stands in a syllable, and two keys make ㅘ or ㄺ.
    """
    return unicodedata.normalize("NFD", word).translate(_KEYS)


class Suggestions:
    """Near spellings by edit distance with transpositions, on `keys_of` words, so that one wrong key is one edit."""

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

        spelling = keys_of(word)
        if not 1 < len(spelling) <= MAX_LENGTH:
            return []
        found: list[tuple[int, int]] = []
        spellings = self._by_keys()
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

    def _by_keys(self) -> list[str]:
        if self._spellings is None:
            word = self._table.lookup.word
            n_considered = min(CONSIDERED, len(self._table.vocabulary))
            self._spellings = [keys_of(word(i)) for i in range(n_considered)]
        return self._spellings
