"""Slow, plain references for GloVe. Nothing of the product is imported here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction


def cooccurrences(
    lines: Iterable[Sequence[int]], window: int, symmetric: bool, *, equal: bool = False
) -> dict[tuple[int, int], Fraction]:
    """The full table: every ordered pair of places of a line at most `window` apart adds 1/distance, or 1 if equal."""
    table: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for line in lines:
        for i, left in enumerate(line):
            for distance in range(1, window + 1):
                if i + distance < len(line):
                    right = line[i + distance]
                    table[left, right] += Fraction(1, 1 if equal else distance)
                    if symmetric:
                        table[right, left] += Fraction(1, 1 if equal else distance)
    return dict(table)


class Model:
    """Parameters of all words, in float64, and one AdaGrad step at a time."""

    def __init__(
        self, words: list[list[float]], contexts: list[list[float]], biases: list[tuple[float, float]]
    ) -> None:
        dim = len(words[0])
        self.words, self.contexts = [list(row) for row in words], [list(row) for row in contexts]
        self.word_squares, self.context_squares = ([[1.0] * dim for _ in words] for _ in range(2))
        self.word_bias, self.context_bias = [b for b, _ in biases], [b for _, b in biases]
        self.word_bias_squares, self.context_bias_squares = [1.0] * len(words), [1.0] * len(words)

    def cost(self, i: int, j: int, count: float, weight: float) -> float:
        return weight * self._error(i, j, count) ** 2

    def _error(self, i: int, j: int, count: float) -> float:
        product = sum(w * c for w, c in zip(self.words[i], self.contexts[j], strict=True))
        return product + self.word_bias[i] + self.context_bias[j] - math.log(count)

    def step(self, i: int, j: int, count: float, weight: float, learning_rate: float, update: str) -> None:
        """One step down half the cost of cell (i, j): AdaGrad as published, or as the C program has it."""
        slope = weight * self._error(i, j, count)
        word, context = list(self.words[i]), list(self.contexts[j])
        for d in range(len(word)):
            for value, squares, gradient in (
                (self.words[i], self.word_squares[i], slope * context[d]),
                (self.contexts[j], self.context_squares[j], slope * word[d]),
            ):
                if update == "reference":
                    step = min(max(gradient, -100.0), 100.0) * learning_rate
                    value[d] -= step / math.sqrt(squares[d])
                    squares[d] += step * step
                else:
                    value[d] -= learning_rate * gradient / math.sqrt(squares[d])
                    squares[d] += gradient * gradient
        rate = 1.0 if update == "reference" else learning_rate
        for biases, squares, k in (
            (self.word_bias, self.word_bias_squares, i),
            (self.context_bias, self.context_bias_squares, j),
        ):
            biases[k] -= rate * slope / math.sqrt(squares[k])
            squares[k] += slope * slope
