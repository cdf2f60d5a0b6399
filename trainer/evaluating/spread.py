"""Effect sizes in trainings that differ in their seeds alone: how much of a measured bias is chance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from app.core.errors import WordSetUnusable
from app.core.evaluation.bias.found import find_set, finder, refuse_unusable
from app.core.evaluation.bias.measuring import rounded
from app.core.evaluation.bias.results import SeedSpread, TestResult
from app.core.evaluation.bias.weat import Cosines, effect_size
from app.core.evaluation.bias.words import WordSets, read_word_sets
from trainer.evaluating.words import Vectors

SPREAD_METRIC = "bias_of_replicas"
"""Where a manifest's metrics have the effect sizes of other trainings, by the SHA-256 of word sets and by test."""
Effects = dict[str, dict[str, float]]


def effects(vectors: Vectors, contents: Sequence[bytes]) -> Effects:
    """The effect size, with n-1, of every test that can be done at all, by the SHA-256 of its word sets and its name.

    Raises
    ------
    EvaluationSetUnreadable
    """
    return {hashlib.sha256(content).hexdigest(): _effects(vectors, read_word_sets(content, "")) for content in contents}


def _effects(vectors: Vectors, sets: WordSets) -> dict[str, float]:
    find = finder(vectors.find, vectors.reader)
    found = {}
    for name, test in sets.tests.items():
        words = [find_set(each, sets.sets[each], find) for each in (*test.targets, *test.attributes)]
        try:
            refuse_unusable(words[:2], words[2:], 1.0)
        except WordSetUnusable:
            continue
        cosines = Cosines.of(*(vectors.unit[each.ids] for each in words))
        found[name] = rounded(effect_size(cosines.x, cosines.y))
    return found


def together(replicas: Sequence[Effects]) -> dict[str, dict[str, list[float]]]:
    """The effect sizes of all, in their order: every replica has the same words."""
    if not replicas:
        return {}
    return {
        sha256: {test: [each[sha256][test] for each in replicas] for test in tests}
        for sha256, tests in replicas[0].items()
    }


def beside_replicas(test: TestResult, replicas: Mapping[str, Any]) -> TestResult:
    """The same with its spread, if the effect sizes of other trainings are known.

    Parameters
    ----------
    test : of the published training
    replicas : effect sizes of the others, with n-1, by test
    """
    others = replicas.get(test.test)
    if not others:
        return test
    n = sum(each.n_used for each in test.targets)
    factor = sqrt(n / (n - 1)) if test.deviation == "n" else 1.0
    sizes = np.array([test.effect_size, *(factor * each for each in others)])
    spread = SeedSpread(
        n_trainings=len(sizes),
        least=rounded(sizes.min()),
        greatest=rounded(sizes.max()),
        standard_deviation=rounded(sizes.std(ddof=1)),
    )
    return test.model_copy(update={"seeds": spread})
