"""How each kind of question is answered by a table: conventions are stated with the scores.

Words are found by the steps of a query (`app.core.table.terms`). Questions with a word that has no vector are left out
and counted. Unit vectors everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from app.core.evaluation.results import MAIN_METRIC, Metric, Outcomes, Score, SectionScore, SetResult
from app.core.evaluation.sets import EvaluationSet, Questions, SetType
from app.core.evaluation.statistics import score
from app.core.table.manifest import FileOrigin
from trainer.evaluating.words import Ids, Vectors, words_of

MULTIPLICATION_EPSILON = 1e-6
"""gensim's; Levy and Goldberg (2014) wrote 0.001."""
SCORES_AT_ONCE = 1 << 24
"""Numbers of a block of scores: 64 MB."""
Right = npt.NDArray[np.float64]

CONVENTIONS: dict[SetType, str] = {
    "similarity": "Spearman's correlation of cosines and people's numbers, equal ones sharing their mean rank",
    "analogy": "a : b :: c : d by the greatest cosine with b - a + c (3CosAdd), and by 3CosMul with epsilon 1e-6; "
    "a, b and c are no answers",
    "outlier": "the word with the least mean of cosines with the others (Camacho-Collados and Navigli 2016)",
    "categories": "k-means of unit vectors, as many clusters as categories, the best of 10 starts; purity",
    "neighbors": "the share of listed neighbours that are among the k nearest",
    "words": "the share of words that have a vector",
}
COMPOSING = "; words that the vocabulary lacks are composed"


def evaluate(
    vectors: Vectors, questions: Questions, asked: EvaluationSet, file: FileOrigin
) -> tuple[SetResult, Outcomes]:
    """The scores of a set, and what they are made from."""
    kind = questions.type
    words = words_of(vectors, questions, asked)
    vectors, ids = replace(vectors, composed=words.composed), words.ids
    covered = np.flatnonzero((ids >= 0).all(axis=1))
    values = np.full(len(questions.items), np.nan)
    extra: dict[Metric, float] = {}
    if kind == "words":
        values = (ids[:, 0] >= 0).astype(np.float64)
        covered = np.arange(len(values))
    elif len(covered):
        values[covered], extra = _ANSWERS[kind](vectors, ids[covered], questions, covered, asked)
    outcomes = Outcomes(
        values=[None if np.isnan(value) else round(float(value), 6) for value in values],
        gold=questions.gold,
        starts=[start for _, start in questions.sections],
    )
    metric = MAIN_METRIC[kind]
    scores = _scores(metric, outcomes, extra)
    n_covered = len(covered)
    coverage = n_covered / len(questions.items)
    result = SetResult(
        file=file,
        type=kind,
        max_words=asked.max_words,
        k=asked.k,
        metric=metric,
        convention=CONVENTIONS[kind] + (COMPOSING if asked.oov == "compose" else ""),
        n=len(questions.items),
        n_covered=n_covered,
        coverage=coverage,
        scores=scores,
        of_all=scores[metric].value * coverage if scores else None,
        sections=_sections(questions, values),
        missing=words.missing,
        oov=asked.oov,
        found=words.found,
    )
    return result, outcomes


def _scores(metric: Metric, outcomes: Outcomes, extra: dict[Metric, float]) -> dict[Metric, Score]:
    """Nothing if no question is covered."""
    found = score(outcomes)
    if found is None:
        return {}
    return {metric: Score(value=found[0], interval=found[1])} | {
        name: Score(value=value) for name, value in extra.items()
    }


def _sections(questions: Questions, values: Right) -> list[SectionScore]:
    if questions.gold or not questions.sections:
        return []
    found = []
    starts = [start for _, start in questions.sections]
    for (name, start), end in zip(questions.sections, [*starts[1:], len(values)], strict=True):
        part = values[start:end]
        covered = part[~np.isnan(part)]
        value = float(covered.mean()) if len(covered) else None
        found.append(SectionScore(name=name, n=len(part), n_covered=len(covered), value=value))
    return found


Answered = tuple[Right, dict[Metric, float]]


def _similarity(vectors: Vectors, ids: Ids, *_: Any) -> Answered:
    a, b = vectors.rows(ids[:, 0]), vectors.rows(ids[:, 1])
    return np.einsum("ij,ij->i", a, b).astype(np.float64), {}


def _analogy(vectors: Vectors, ids: Ids, questions: Questions, covered: Ids, asked: EvaluationSet) -> Answered:
    """Scores are linear in the words' cosines, so that each word of a block is multiplied with all words once."""
    candidates = vectors.unit[: asked.max_words]
    by_addition, by_multiplication = np.empty(len(ids)), np.empty(len(ids))
    size = max(1, SCORES_AT_ONCE // len(candidates) // 3)

    def answer(start: int) -> None:
        block = ids[start : start + size]
        words, places = np.unique(block[:, :3], return_inverse=True)
        cosines = vectors.rows(words) @ candidates.T
        for row, (a, b, c) in enumerate(places.reshape(-1, 3)):
            excluded, right = block[row, :3][block[row, :3] < len(vectors.unit)], block[row, 3]
            scores = cosines[b] - cosines[a] + cosines[c]
            scores[excluded] = -np.inf
            by_addition[start + row] = scores.argmax() == right
            scores = (1 + cosines[b]) * (1 + cosines[c]) / ((1 + cosines[a]) / 2 + MULTIPLICATION_EPSILON)
            scores[excluded] = -np.inf
            by_multiplication[start + row] = scores.argmax() == right

    with ThreadPoolExecutor(vectors.threads) as pool:
        list(pool.map(answer, range(0, len(ids), size)))
    extra: dict[Metric, float] = {"accuracy_3cosmul": float(by_multiplication.mean())}
    is_syntactic = _syntactic(questions, covered)
    if is_syntactic.any() and not is_syntactic.all():
        extra["semantic"] = float(by_addition[~is_syntactic].mean())
        extra["syntactic"] = float(by_addition[is_syntactic].mean())
    return by_addition, extra


def _syntactic(questions: Questions, covered: Ids) -> npt.NDArray[np.bool_]:
    """Whether questions stand in a section that is about grammar, by how such sections are named."""
    if not questions.sections:
        return np.zeros(len(covered), bool)
    of_section = np.array([False, *(name.lower().startswith(("gram", "syn")) for name, _ in questions.sections)])
    starts = np.array([start for _, start in questions.sections])
    return np.asarray(of_section[np.searchsorted(starts, covered, side="right")])


def _outlier(vectors: Vectors, ids: Ids, questions: Questions, covered: Ids, *_: Any) -> Answered:
    """Right if the outlier is the least compact of its group; its position counts in `opp`."""
    right, positions = np.empty(len(ids)), np.empty(len(ids))
    for row, item in enumerate(covered.tolist()):
        n = len(questions.items[item])
        group = vectors.rows(ids[row, :n])
        cosines = (group @ group.T).astype(np.float64)
        compactness = (cosines.sum(axis=1) - np.diag(cosines)) / (n - 1)
        position = int((compactness > compactness[-1]).sum())
        right[row], positions[row] = position == n - 1, position / (n - 1)
    return right, {"opp": float(positions.mean())}


def _categories(vectors: Vectors, ids: Ids, questions: Questions, covered: Ids, *_: Any) -> Answered:
    """A word is right if its category is the most frequent one of its cluster."""
    names = [questions.items[item][1] for item in covered.tolist()]
    category = np.unique(names, return_inverse=True)[1]
    n_clusters = min(int(category.max()) + 1, len(ids))
    points = np.ascontiguousarray(vectors.rows(ids[:, 0]))
    means: Any = faiss.Kmeans(points.shape[1], n_clusters, niter=50, nredo=10, seed=1, min_points_per_centroid=1)
    means.train(points)
    clusters: Any = means.index.search(points, 1)[1][:, 0]
    counts = np.zeros((n_clusters, int(category.max()) + 1), np.int64)
    np.add.at(counts, (clusters, category), 1)
    return (counts.argmax(axis=1)[clusters] == category).astype(np.float64), {}


def _neighbors(vectors: Vectors, ids: Ids, _: Questions, __: Ids, asked: EvaluationSet) -> Answered:
    words, places = np.unique(ids[:, 0], return_inverse=True)
    nearest: list[Ids] = []
    size = max(1, SCORES_AT_ONCE // len(vectors.unit))
    k = min(asked.k, len(vectors.unit) - 1)
    for start in range(0, len(words), size):
        block = words[start : start + size]
        scores = vectors.rows(block) @ vectors.unit.T
        is_word = block < len(vectors.unit)
        scores[is_word, block[is_word]] = -np.inf
        nearest.append(np.argpartition(-scores, k - 1, axis=1)[:, :k])
    found = np.concatenate(nearest)
    return (found[places] == ids[:, 1:2]).any(axis=1).astype(np.float64), {}


_ANSWERS: dict[SetType, Callable[..., Answered]] = {
    "similarity": _similarity,
    "analogy": _analogy,
    "outlier": _outlier,
    "categories": _categories,
    "neighbors": _neighbors,
}
