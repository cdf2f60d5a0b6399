"""Slow, plain references for contexts of words. Nothing of the product is imported here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

Pair = tuple[int, int]


def ppmi(counts: Mapping[Pair, int], smoothing: float) -> dict[Pair, float]:
    """Of every pair (word, context), by the probabilities themselves (Levy, Goldberg and Dagan 2015)."""
    n_pairs = sum(counts.values())
    words, contexts = Counter[int](), Counter[int]()
    for (word, context), count in counts.items():
        words[word] += count
        contexts[context] += count
    smoothed = {context: n**smoothing for context, n in contexts.items()}
    mass = sum(smoothed.values())
    found = {}
    for (word, context), count in counts.items():
        together, alone = count / n_pairs, (words[word] / n_pairs) * (smoothed[context] / mass)
        found[word, context] = max(0.0, math.log(together / alone))
    return found


def strongest(counts: Mapping[Pair, int], smoothing: float, word: int, n_columns: int, n: int) -> list[Pair]:
    """The contexts of a word below `n_columns` with a positive PPMI, largest first, ties by id, and their counts."""
    values = ppmi(counts, smoothing)
    found = [(c, counts[w, c]) for (w, c), value in values.items() if w == word and c < n_columns and value > 1e-12]
    return sorted(found, key=lambda pair: (-round(values[word, pair[0]], 12), pair[0]))[:n]
