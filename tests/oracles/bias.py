"""Slow, plain references for measures of bias. Nothing of the product is imported here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from statistics import fmean

Vector = Sequence[float]
Set = Sequence[Vector]


def dot(a: Vector, b: Vector) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def length(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def cosine(a: Vector, b: Vector) -> float:
    return dot(a, b) / length(a) / length(b)


def association(word: Vector, a: Set, b: Set) -> float:
    return fmean(cosine(word, each) for each in a) - fmean(cosine(word, each) for each in b)


def deviation(values: Sequence[float], less: int) -> float:
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - less))


def effect_size(x: Set, y: Set, a: Set, b: Set, less: int) -> float:
    of_x, of_y = ([association(word, a, b) for word in words] for words in (x, y))
    return (fmean(of_x) - fmean(of_y)) / deviation([*of_x, *of_y], less)


def single_category(word: Vector, a: Set, b: Set, less: int) -> float:
    return association(word, a, b) / deviation([cosine(word, each) for each in [*a, *b]], less)


def p_value(x: Sequence[int], y: Sequence[int], *, both_sides: bool) -> Fraction:
    """Of whole numbers, so that equal differences are equal."""
    pooled = [*x, *y]

    def apart(chosen: Sequence[int]) -> Fraction:
        rest = [pooled[i] for i in range(len(pooled)) if i not in chosen]
        found = Fraction(sum(pooled[i] for i in chosen), len(chosen)) - Fraction(sum(rest), len(rest))
        return abs(found) if both_sides else found

    observed = apart(range(len(x)))
    found = [apart(chosen) >= observed for chosen in combinations(range(len(pooled)), len(x))]
    return Fraction(sum(found), len(found))


def mean(rows: Set) -> list[float]:
    return [fmean(column) for column in zip(*rows, strict=True)]


def ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < value for other in values) + (values.count(value) - 1) / 2 for value in values]


def ect(x: Set, y: Set, attributes: Set) -> float:
    first, second = (ranks([cosine(word, mean(group)) for word in attributes]) for group in (x, y))
    a, b = ([rank - fmean(values) for rank in values] for values in (first, second))
    return cosine(a, b)


def rnd(x: Set, y: Set, attributes: Set) -> float:
    def far(word: Vector, group: Set) -> float:
        return math.dist(word, mean(group))

    return fmean(far(word, x) - far(word, y) for word in attributes)


def mac(targets: Sequence[Set], attributes: Sequence[Set]) -> float:
    return fmean(
        fmean(1 - cosine(word, other) for other in others)
        for group in targets
        for word in group
        for others in attributes
    )


def ripa(pairs: Sequence[tuple[Vector, Vector]], words: Set) -> float:
    found = []
    for x, y in pairs:
        apart = [a - b for a, b in zip(x, y, strict=True)]
        found += [dot(word, apart) / length(apart) for word in words]
    return fmean(found)
