"""Slow references of the search side in plain Python; they import no product code.

Vectors are lists of floats, as trained. Cosines are computed with exactly rounded sums and rounded to six decimals, and
equal ones are ordered by id.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Vectors = Sequence[Sequence[float]]


def unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(math.fsum(x * x for x in vector))
    return [x / length for x in vector]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(unit(a), unit(b), strict=True))


def weighted_sum(vectors: Vectors, weights: Sequence[float]) -> list[float]:
    return [math.fsum(w * v[j] for w, v in zip(weights, vectors, strict=True)) for j in range(len(vectors[0]))]


def nearest(vectors: Vectors, direction: Sequence[float], excluded: set[int], k: int) -> list[tuple[int, float]]:
    """The k best of all rows by (-rounded cosine, id)."""
    scored = [(-round(cosine(v, direction), 6), i) for i, v in enumerate(vectors) if i not in excluded]
    return [(i, -negative) for negative, i in sorted(scored)[:k]]


def analogy(vectors: Vectors, positive: Sequence[int], negative: Sequence[int], k: int) -> list[tuple[int, float]]:
    """3CosAdd: the words are added up as unit vectors."""
    rows = [unit(vectors[i]) for i in [*positive, *negative]]
    direction = weighted_sum(rows, [1.0] * len(positive) + [-1.0] * len(negative))
    return nearest(vectors, direction, {*positive, *negative}, k)


def analogy_by_product(
    vectors: Vectors, positive: Sequence[int], negative: Sequence[int], k: int
) -> list[tuple[int, float]]:
    """3CosMul (Levy and Goldberg 2014), cosines shifted to [0, 1], epsilon 0.001."""

    def product(i: int) -> float:
        over = math.prod((1 + cosine(vectors[i], vectors[j])) / 2 for j in positive)
        under = math.prod((1 + cosine(vectors[i], vectors[j])) / 2 + 0.001 for j in negative)
        return over / under

    scored = [(-round(product(i), 6), i) for i in range(len(vectors)) if i not in {*positive, *negative}]
    return [(i, -negative_product) for negative_product, i in sorted(scored)[:k]]


def csls(vectors: Vectors, word: int, k: int, n: int = 10) -> list[tuple[int, float]]:
    """2 cos(x, y) - r(x) - r(y), where r is the mean cosine to the n nearest others (Conneau et al. 2018)."""

    def mean_of_nearest(i: int) -> float:
        found = nearest(vectors, vectors[i], {i}, n)
        return math.fsum(score for _, score in found) / len(found)

    own = mean_of_nearest(word)
    scored = [
        (-(2 * cosine(vectors[word], vectors[i]) - own - mean_of_nearest(i)), i)
        for i in range(len(vectors))
        if i != word
    ]
    return [(i, -value) for value, i in sorted(scored)[:k]]


def sif(
    vectors: Vectors, counts: Sequence[int], words: Sequence[int], component: Sequence[float], a: float = 1e-3
) -> list[float]:
    """Smoothed inverse frequency mean of a text, less its part along `component`, of length 1."""
    total = sum(counts)
    weights = [a / (a + counts[i] / total) / len(words) for i in words]
    mean = weighted_sum([vectors[i] for i in words], weights)
    along = math.fsum(x * y for x, y in zip(mean, component, strict=True))
    return unit([x - along * c for x, c in zip(mean, component, strict=True)])
