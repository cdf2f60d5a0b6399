"""How good vectors are by the field's three usual tests, and how much of each test they cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """A result with what it rests on: `covered` of `total` questions had all their words."""

    value: float
    covered: int
    total: int


def unit_rows(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), np.float32)


def similarity(words: list[str], vectors: Vectors, path: Path) -> Score:
    """Spearman's correlation of cosines with people's scores; words lower-cased, uncovered pairs left out."""
    ids = {word: i for i, word in reversed(list(enumerate(words)))}
    pairs = [line.lower().split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [pair for pair in pairs if len(pair) >= 3 and not pair[0].startswith("#")]
    known = [(ids[a], ids[b], float(score)) for a, b, score in (pair[:3] for pair in pairs) if a in ids and b in ids]
    if len(known) < 3:
        return Score(float("nan"), len(known), len(pairs))
    units = unit_rows(vectors)
    cosines = [float(units[a] @ units[b]) for a, b, _ in known]
    correlation: Any = spearmanr(cosines, [score for _, _, score in known])
    return Score(float(correlation.statistic), len(known), len(pairs))


def analogies(words: list[str], vectors: Vectors, path: Path, top: int = 30_000) -> Score:
    """The share of ``a : b :: c : ?`` whose answer is the nearest to b - a + c (3CosAdd) among the `top` words.

    Lower-cased; questions with a word outside the top are left out, the three words of a question are no answers.
    """
    ids = {word: i for i, word in reversed(list(enumerate(words[:top])))}
    lines = [line for line in path.read_text(encoding="utf-8").lower().splitlines() if not line.startswith(":")]
    questions = [line.split() for line in lines if line.strip()]
    known = np.array([[ids[word] for word in question] for question in questions if all(w in ids for w in question)])
    if not len(known):
        return Score(float("nan"), 0, len(questions))
    units = unit_rows(vectors[:top])
    right = 0
    for start in range(0, len(known), 1000):
        a, b, c, answer = known[start : start + 1000].T
        scores = unit_rows(units[b] - units[a] + units[c]) @ units.T
        for row, excluded in enumerate(zip(a, b, c, strict=True)):
            scores[row, list(excluded)] = -np.inf
        right += int((scores.argmax(axis=1) == answer).sum())
    return Score(right / len(known), len(known), len(questions))


TESTS: dict[str, tuple[str, Callable[[list[str], Vectors, Path], Score]]] = {
    "analogy": ("questions-words.txt", analogies),
    "WS-353": ("EN-WS-353-ALL.txt", similarity),
    "SimLex": ("EN-SIMLEX-999.txt", similarity),
}


def quality(words: list[str], vectors: Vectors, evaluation: Path) -> dict[str, Score]:
    """Those of the three tests whose files the folder has."""
    return {
        name: test(words, vectors, evaluation / file)
        for name, (file, test) in TESTS.items()
        if (evaluation / file).exists()
    }
