"""TF-IDF of the n-grams of texts, n-gram by n-gram."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

MAX_N = 4


def ngrams(text: str) -> Counter[str]:
    """How often each is in a text; a word has a blank before and after it, and no n-gram crosses two."""
    found: Counter[str] = Counter()
    for word in text.lower().split():
        found.update(word)
        padded = f" {word} "
        for n in range(2, MAX_N + 1):
            found.update(padded[i : i + n] for i in range(len(padded) - n + 1))
    return found


def rows(training: Sequence[str], asked: Sequence[str], limit: int) -> list[dict[int, float]]:
    """The weights of each text that is asked, by column: n-grams of most texts come first, ties by their characters."""
    counts = Counter(ngram for text in training for ngram in ngrams(text))
    kept = sorted(counts, key=lambda ngram: (-counts[ngram], ngram))[:limit]
    column = {ngram: i for i, ngram in enumerate(kept)}
    found = []
    for text in asked:
        weights = {
            column[ngram]: (1 + math.log(n)) * (math.log((1 + len(training)) / (1 + counts[ngram])) + 1)
            for ngram, n in ngrams(text).items()
            if ngram in column
        }
        length = math.sqrt(sum(weight**2 for weight in weights.values()))
        found.append({i: weight / length for i, weight in weights.items()})
    return found
