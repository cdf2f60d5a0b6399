"""Pairs of words that are swapped in lines which a training reads once more."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, Field

from app.core.wordlists import Word


def each_word_once(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Raise ValueError if a word would have to become two others, or itself."""
    twice = sorted(word for word, n in Counter(word for pair in pairs for word in pair).items() if n > 1)
    if twice:
        raise ValueError(f"{twice[0]!r} is in swap_pairs twice; it can become one other word")
    return pairs


SwapPairs = Annotated[
    tuple[tuple[Word, Word], ...],
    AfterValidator(each_word_once),
    Field(
        max_length=1000,
        description="train on each line with a word of a pair once more, its words of pairs swapped, so that both "
        "are seen in the same contexts; Korean particles agree with the word that comes. A word whose partner is not "
        "in the vocabulary stays. Counts are those of all lines that are trained on",
        examples=[[["he", "she"]]],
    ),
]
