"""Korean similarity and analogies: what a version answers of each question, so that all rows meet on the same ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from app.core.table.composing import Composer, composer_of
from app.core.table.reading import Table

WS_353 = "WS353_korean.csv"
ANALOGIES = "word_analogy_korean*.txt"
Vectors = npt.NDArray[np.float64]
Answers = list[float | None]
"""Of each question: a cosine, or 1 for a right answer and 0 for a wrong one; None where a word has no vector."""


class Asked(NamedTuple):
    """A table that is asked, and what composes words that it lacks."""

    table: Table
    composer: Composer | None

    @classmethod
    def of(cls, table: Table) -> Asked:
        return cls(table, composer_of(table))

    def vector(self, word: str) -> Vectors | None:
        """The direction of a word: its own, that of the mean of its tokens, all of which must be there, or composed."""
        tokens = self.table.reader.words(word)
        ids = [self.table.lookup.find(token) for token in tokens]
        known = [word_id for word_id in ids if word_id is not None]
        if not known or len(known) < len(ids):
            composed = self.composer.compose(tokens[0]) if self.composer and len(tokens) == 1 else None
            return composed.direction if composed else None
        mean: Vectors = np.mean([self.table.vector(word_id).astype(np.float64) for word_id in known], axis=0)
        return mean / np.linalg.norm(mean)


def judgements(file: Path) -> list[tuple[str, str, float]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return [(row[0], row[1], float(row[2])) for row in list(csv.reader(opened))[1:]]


def similarity(asked: Asked, pairs: Sequence[tuple[str, str, float]]) -> Answers:
    """The cosine of each pair."""
    found: Answers = []
    for first, second, _ in pairs:
        a, b = asked.vector(first), asked.vector(second)
        found.append(None if a is None or b is None else float(a @ b))
    return found


def correlation(cosines: Answers, pairs: Sequence[tuple[str, str, float]], places: Sequence[int]) -> float:
    """Spearman's, with people's numbers, of the pairs at these places."""
    judged = [pairs[place][2] for place in places]
    return float(spearmanr(np.array([cosines[place] for place in places], float), judged).statistic)


def analogies(asked: Asked, file: Path) -> dict[str, Answers]:
    """Which questions are answered rightly among the words of their section; by section."""
    return {name: _answers(asked, questions) for name, questions in _sections(file).items()}


def _answers(asked: Asked, questions: Sequence[Sequence[str]]) -> Answers:
    words = sorted({word for question in questions for word in question})
    found = {word: vector for word in words if (vector := asked.vector(word)) is not None}
    places = {word: i for i, word in enumerate(found)}
    covered = [i for i, question in enumerate(questions) if all(word in found for word in question)]
    answers: Answers = [None] * len(questions)
    if covered:
        rows = np.stack(list(found.values()))
        a, b, c, answer = (np.array([places[questions[i][place]] for i in covered]) for place in range(4))
        scores = (rows[b] - rows[a] + rows[c]) @ rows.T
        for excluded in (a, b, c):
            scores[np.arange(len(covered)), excluded] = -np.inf
        for i, is_right in zip(covered, scores.argmax(axis=1) == answer, strict=True):
            answers[i] = float(is_right)
    return answers


def _sections(file: Path) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        words = line.split()
        if line.startswith(":"):
            sections[" ".join(words[1:])] = []
        elif len(words) == 4:
            sections[next(reversed(sections))].append(words)
    return sections
