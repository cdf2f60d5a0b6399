"""Slow, readable references for the trainers, in float64 and plain loops. Imports no product code."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
MASK = 2**64 - 1


# Word2Vec


def splitmix64(key: int, counter: int) -> int:
    """The counter-th output of the generator seeded with key, counting from 1."""
    z = (key + counter * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def window_loss(contexts: Matrix, output_rows: Matrix, labels: Sequence[float]) -> float:
    """- sum over contexts c and output_rows o of log P(label of o | c), in nats."""
    total = 0.0
    for context in contexts:
        for output, label in zip(output_rows, labels, strict=True):
            x = float(context @ output) * (1 if label == 1 else -1)
            total += math.log1p(math.exp(-x)) if x >= 0 else -x + math.log1p(math.exp(x))
    return total


def window_errors(contexts: Matrix, output_rows: Matrix, labels: Sequence[float]) -> Matrix:
    """P(1) - label for each context and output: the derivative of `window_loss` by their product."""
    errors = [[logistic(float(c @ o)) - label for o, label in zip(output_rows, labels, strict=True)] for c in contexts]
    return np.array(errors)


def window_gradients(contexts: Matrix, output_rows: Matrix, labels: Sequence[float]) -> tuple[Matrix, Matrix]:
    """The derivatives of `window_loss` by contexts and by output_rows."""
    errors = window_errors(contexts, output_rows, labels)
    return errors @ output_rows, errors.T @ contexts


@dataclass
class Word2Vec:
    """Word2Vec, one window after the other, over a list of ids with -1 at line ends.

    Output rows are updated `group` at a time: one that is drawn again in a later group is seen there as updated.
    """

    ids: Sequence[int]
    keep_limits: Sequence[int]
    token_key: int
    noise_key: int
    window: int
    shrinks: bool
    architecture: str
    alias_table: Sequence[Sequence[int]] | None
    paths: Sequence[tuple[Sequence[int], Sequence[float]]] | None
    n_negatives: int
    gradient: str
    block: int
    group: int = 6

    def kept_lines(self) -> list[list[tuple[int, int]]]:
        """(position, word) of each kept token, line by line."""
        lines: list[list[tuple[int, int]]] = [[]]
        for position, word in enumerate(self.ids):
            if word < 0:
                lines.append([])
            elif splitmix64(self.token_key, position) % 2**32 <= self.keep_limits[word]:
                lines[-1].append((position, word))
        return lines

    def windows(self) -> list[tuple[int, int, list[int]]]:
        """(position, center, contexts) of each kept token, contexts left to right."""
        found = []
        for line in self.kept_lines():
            for i, (position, center) in enumerate(line):
                reach = self.window
                if self.shrinks:
                    reach = 1 + ((splitmix64(self.token_key, position) >> 32) * self.window >> 32)
                around = line[max(0, i - reach) : i] + line[i + 1 : i + 1 + reach]
                found.append((position, center, [word for _, word in around]))
        return found

    def negatives(self, center: int, key: int, counter: int) -> tuple[list[int], int]:
        assert self.alias_table is not None
        drawn: list[int] = []
        while len(drawn) < self.n_negatives:
            bits = splitmix64(key, counter)
            column = (bits >> 32) * len(self.alias_table) >> 32
            limit, alias = self.alias_table[column]
            word = column if bits % 2**32 <= limit else alias
            if word != center:
                drawn.append(word)
            counter += 1
        return drawn, counter

    def train(self, input_vectors: Matrix, output_vectors: Matrix, rates: Sequence[float]) -> float:
        """Change both by one epoch; returns the mean loss a prediction of all windows as they come."""
        counters: dict[int, int] = {}
        loss, n_predictions = 0.0, 0
        for position, center, contexts in self.windows():
            sources = input_vectors[contexts]
            found, steps = self.step(position, center, sources, output_vectors, rates, counters)
            np.add.at(input_vectors, contexts, steps)
            loss += found
            n_predictions += (1 if self.architecture == "cbow" else len(contexts)) if contexts else 0
        return loss / n_predictions

    def step(
        self,
        position: int,
        center: int,
        sources: Matrix,
        output_vectors: Matrix,
        rates: Sequence[float],
        counters: dict[int, int],
    ) -> tuple[float, Matrix]:
        """Change output rows by one window; returns its loss, and what is to be added to each source."""
        block = position // self.block
        if self.paths is None:
            key = splitmix64(self.noise_key, block)
            drawn, counters[block] = self.negatives(center, key, counters.get(block, 0))
            rows, labels = [center, *drawn], [1.0] + [0.0] * len(drawn)
        else:
            rows, labels = list(self.paths[center][0]), list(self.paths[center][1])
        if not len(sources):
            return 0.0, sources
        n_contexts = len(sources)
        if self.architecture == "cbow":
            sources = sources.mean(axis=0, keepdims=True)
        loss = window_loss(sources, output_vectors[rows], labels)
        errors = window_errors(sources, output_vectors[rows], labels)
        by_sources = np.zeros_like(sources)
        for first in range(0, len(rows), self.group):
            some = slice(first, first + self.group)
            by_sources += errors[:, some] @ output_vectors[rows[some]]
            np.subtract.at(output_vectors, rows[some], rates[block] * errors[:, some].T @ sources)
        if self.architecture == "cbow":
            parts = {"exact": n_contexts, "root": math.sqrt(n_contexts), "legacy": 1}
            by_sources = np.repeat(by_sources, n_contexts, axis=0) / parts[self.gradient]
        return loss, -rates[block] * by_sources

    def block_tokens(self, block: int) -> tuple[list[tuple[int, int]], int, int]:
        """(position, word) of what a block keeps, line ends with -1, and of up to a window of its lines beside it.

        The numbers say which of them are the block's own.
        """

        def is_kept(position: int) -> bool:
            word = self.ids[position]
            return word < 0 or splitmix64(self.token_key, position) % 2**32 <= self.keep_limits[word]

        def beside(positions: Sequence[int]) -> list[tuple[int, int]]:
            line = list(itertools.takewhile(lambda position: self.ids[position] >= 0, positions))
            return [(position, self.ids[position]) for position in line if is_kept(position)][: self.window]

        start, end = block * self.block, min((block + 1) * self.block, len(self.ids))
        before, after = beside(range(start - 1, -1, -1))[::-1], beside(range(end, len(self.ids)))
        own = [(position, self.ids[position]) for position in range(start, end) if is_kept(position)]
        return before + own + after, len(before), len(before) + len(own)

    def train_composed(
        self, input_rows: Matrix, parts: Sequence[Sequence[int]], output_vectors: Matrix, rates: Sequence[float]
    ) -> None:
        """The same where a word is the mean of several input rows.

        A token's vector is composed when the window may reach it, learns in its own place, and when the window has
        left it behind, all that it has learnt is added to each of its rows.
        """
        for block in range(len(rates)):
            tokens, first, last = self.block_tokens(block)
            counters: dict[int, int] = {}
            composed: dict[int, tuple[Matrix, Matrix]] = {}
            for center in range(first, last):
                position, word = tokens[center]
                if word < 0:
                    continue
                near = range(max(0, center - self.window), min(len(tokens), center + self.window + 1))
                for i in sorted(set(composed) - set(near)):
                    _leave(composed.pop(i), input_rows, parts[tokens[i][1]])
                for i in near:
                    if tokens[i][1] >= 0 and i not in composed:
                        vector = input_rows[parts[tokens[i][1]]].mean(axis=0)
                        composed[i] = vector, vector.copy()
                contexts = self.contexts(tokens, center, position)
                sources = np.array([composed[i][1] for i in contexts]).reshape(-1, input_rows.shape[1])
                _, steps = self.step(position, word, sources, output_vectors, rates, counters)
                for i, step in zip(contexts, steps, strict=True):
                    composed[i][1][:] += step
            for i in sorted(composed):
                _leave(composed[i], input_rows, parts[tokens[i][1]])

    def contexts(self, tokens: Sequence[tuple[int, int]], center: int, position: int) -> list[int]:
        """Places among the tokens that the window of a center has, within its line."""
        reach = self.window
        if self.shrinks:
            reach = 1 + ((splitmix64(self.token_key, position) >> 32) * self.window >> 32)
        left, right = range(center - 1, max(-1, center - reach - 1), -1), range(center + 1, center + reach + 1)
        found: list[int] = []
        for side in (left, right):
            found += itertools.takewhile(lambda i: i < len(tokens) and tokens[i][1] >= 0, side)
        return found


def _leave(vectors: tuple[Matrix, Matrix], input_rows: Matrix, parts: Sequence[int]) -> None:
    """Add to each row what a composed vector has become, less what it was; a row that is named twice gets it twice."""
    np.add.at(input_rows, parts, vectors[1] - vectors[0])


def huffman_cost(counts: Sequence[int]) -> int:
    """The sum over words of count times code length in any Huffman tree."""
    heap = list(counts)
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


def alias_distribution(table: Sequence[Sequence[int]]) -> Matrix:
    """The distribution that an alias table stands for."""
    n = len(table)
    probabilities = np.zeros(n)
    for i, (limit, alias) in enumerate(table):
        own = (limit + 1) / 2**32
        probabilities[i] += own / n
        probabilities[alias] += (1 - own) / n
    return probabilities


def drawn_back(
    tokens: Sequence[tuple[int, int]],
    keep_limits: Sequence[int],
    token_key: int,
    rates: dict[int, float],
    strengths: Sequence[float],
    anchors: Matrix,
    rows: Matrix,
) -> None:
    """A step on strength * |row - anchor|**2 / 2 for each kept (position, word), at most to the anchor."""
    for position, word in tokens:
        if strengths[word] and splitmix64(token_key, position) % 2**32 <= keep_limits[word]:
            rows[word] -= min(1.0, rates[position] * strengths[word]) * (rows[word] - anchors[word])
