"""The n-grams of a word as fastText hashes them (Bojanowski et al. 2017), of characters or of Hangul's jamo.

Jamo are those of Park et al. 2018: a syllable is its initial, its vowel and its final, or a filler where it has none,
and whole syllables are n-grams, too. Their filler is the letter e, which Latin words have; ours is of no script. Their
program finds the borders of syllables by a word's last byte and its length; here a syllable is known by its own three
letters, so that words of several scripts are cut in the right places.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

BASIS, PRIME, MASK = 2166136261, 16777619, 0xFFFFFFFF
Unit = Literal["character", "jamo"]
CONSONANTS = range(0x3131, 0x314F)
VOWELS = range(0x314F, 0x3164)
FILLER = "\ue000"
"""Of a syllable without a final; a code point for private use."""
JAMO, MOST_SYLLABLES = 3, 4
"""Letters of a syllable, and syllables of an n-gram."""
JAMO_MAX_N = 5
"""Letters of an n-gram of jamo, at most, unless that is said."""

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FINALS = FILLER + "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


@cache
def _syllables() -> dict[int, str]:
    """The letters of each; made when somebody needs them, for they take 2 MB."""
    return {
        0xAC00 + place: _INITIALS[place // 588] + chr(VOWELS[place // 28 % 21]) + _FINALS[place % 28]
        for place in range(11_172)
    }


def with_max_n(given: Any) -> Any:
    """What was said of n-grams, with `max_n` where those of jamo have another default."""
    is_jamo = isinstance(given, dict) and given.get("unit") == "jamo"
    return {"max_n": JAMO_MAX_N} | given if is_jamo else given


def spelled(word: str, unit: Unit) -> str:
    """The word between its marks, in the letters that n-grams are of."""
    return f"<{word.translate(_syllables()) if unit == 'jamo' else word}>"


def sizes_of(min_n: int, max_n: int, unit: Unit) -> tuple[int, int, int]:
    """The least and the most letters of an n-gram, and the most syllables, 0 for characters."""
    return min_n, max_n, MOST_SYLLABLES if unit == "jamo" else 0


def ngram_hashes(word: str, min_n: int, max_n: int, unit: Unit = "character") -> list[int]:
    """Hashes, FNV-1a of 32 bits over bytes that are taken as signed, of the n-grams of ``<word>``.

    N-grams are of letters; single marks ``<`` and ``>`` are none. One that comes twice is listed twice, but syllables
    that are n-grams of jamo already are not listed again.
    """
    letters = spelled(word, unit)
    characters = [[byte | 0xFFFFFF00 if byte > 127 else byte for byte in c.encode()] for c in letters]
    n_letters, most_syllables = len(letters), sizes_of(min_n, max_n, unit)[2]
    found = []
    for start in range(n_letters):
        code = BASIS
        for end in range(start + 1, min(start + max_n, n_letters) + 1):
            code = _hashed(code, characters[end - 1])
            if end - start >= min_n and not (end - start == 1 and (start == 0 or end == n_letters)):
                found.append(code)
        code, end = BASIS, start
        while end < start + JAMO * most_syllables and _is_syllable(letters[end : end + JAMO]):
            for character in characters[end : end + JAMO]:
                code = _hashed(code, character)
            end += JAMO
            if not min_n <= end - start <= max_n:
                found.append(code)
    return found


def _hashed(code: int, character: list[int]) -> int:
    for byte in character:
        code = ((code ^ byte) * PRIME) & MASK
    return code


def _is_syllable(letters: str) -> bool:
    """Whether these are an initial, a vowel, and a final or the filler."""
    if len(letters) < JAMO:
        return False
    initial, vowel, final = map(ord, letters)
    return initial in CONSONANTS and vowel in VOWELS and (final in CONSONANTS or letters[2] == FILLER)
