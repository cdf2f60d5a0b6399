"""Korean particles: which ones a noun has, and how they are spelled after another noun."""

from __future__ import annotations

from collections.abc import Iterator

_ALTERNATING = (
    "은/는 이/가 을/를 과/와 으로/로 으로서/로서 으로써/로써 이나/나 이랑/랑 이라/라 이라는/라는 "
    "이라고/라고 이라도/라도 이란/란 이든/든 이며/며 이다/다 이었다/였다 이었던/였던 아/야"
)
"""After a final consonant, and after a vowel."""
_SAME = "의 에 에게 에게서 에서 께 께서 한테 한테서 도 만 까지 부터 보다 처럼 마다 조차 마저 밖에 같이 뿐"
_TAKING_MORE = {"과", "으로", "에", "에게", "에게서", "에서", "께", "한테", "만", "까지", "부터", "보다", "처럼"}
_MORE = ("", "는", "도", "만", "의", "은", "이", "을", "부터", "까지")
"""What may follow those; it agrees with the particle before it, whatever the noun."""
_FIRST_SYLLABLE, _LAST_SYLLABLE, _N_FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8


def _final(noun: str) -> int | None:
    """The number of the last syllable's final consonant, 0 for none; None if it is no Hangul syllable."""
    last = ord(noun[-1])
    return (last - _FIRST_SYLLABLE) % _N_FINALS if _FIRST_SYLLABLE <= last <= _LAST_SYLLABLE else None


def declined(first: str, second: str) -> Iterator[tuple[str, str]]:
    """Both nouns with each particle, spelled as each needs it; nothing if one does not end in Hangul."""
    finals = _final(first), _final(second)
    if None in finals:
        return
    pairs = [each.split("/") for each in _ALTERNATING.split()] + [[each, each] for each in _SAME.split()]
    for after_consonant, after_vowel in pairs:
        spelled = [
            after_vowel if not final or (final == _RIEUL and after_consonant.startswith("으로")) else after_consonant
            for final in finals
        ]
        for more in _MORE if after_consonant in _TAKING_MORE else _MORE[:1]:
            yield first + spelled[0] + more, second + spelled[1] + more
