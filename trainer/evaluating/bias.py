"""The report of bias of a table: the tests of a collection of word sets, corrected for their number, and directions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from app.core.errors import WordSetUnusable
from app.core.evaluation.bias.association import ripa
from app.core.evaluation.bias.direction import bias_direction, direct_bias, indirect_bias
from app.core.evaluation.bias.found import Find, find_item, find_set, finder, refuse_unusable
from app.core.evaluation.bias.measuring import association, measures, rounded
from app.core.evaluation.bias.permutation import holm
from app.core.evaluation.bias.results import (
    BiasOptions,
    BiasReport,
    DirectionResult,
    DirectionWords,
    IndirectBias,
    SkippedTest,
    TestResult,
)
from app.core.evaluation.bias.words import Item, WordDirection, WordSets, read_word_sets
from app.core.nearest.scores import DoubleArray
from app.core.table.arrays import FloatArray
from app.core.table.manifest import FileOrigin
from trainer.evaluating.spread import beside_replicas
from trainer.evaluating.words import Vectors

N_EXPLAINED = 5
CAVEATS = (
    "A small effect is no proof that there is no bias: other words, another scaling and another seed of the training "
    "give other numbers, and a test sees its own words only.",
    "A p-value says how often chance divides these words so, not how biased the vectors are.",
)
SPREAD_UNKNOWN = "The spread between trainings of other seeds is not measured here."
EXPERIMENTAL = "These word sets are experimental: nobody has validated them, and no published numbers exist."


class AskedBias(NamedTuple):
    """A file of word sets, where it comes from (None: shipped), and how its tests are done."""

    content: bytes
    name: str
    origin: FileOrigin | None
    options: BiasOptions


class Measured(NamedTuple):
    """Vectors of words: `unit` of length 1, `norms` their lengths, `find` their rows."""

    find: Find
    unit: FloatArray
    norms: FloatArray

    def rows(self, ids: Sequence[int]) -> DoubleArray:
        """Vectors as they are, float64 (len(ids), dim)."""
        return self.unit[list(ids)].astype(np.float64) * self.norms[list(ids)].astype(np.float64)[:, None]


def bias_report(
    vectors: Vectors, norms: FloatArray, asked: AskedBias, replicas: Mapping[str, Mapping[str, Any]]
) -> BiasReport:
    """Measure all that can be measured; what cannot is listed with the reason.

    Parameters
    ----------
    vectors : what is measured
    norms : float32 (n_words,), the vectors' lengths
    asked : word sets, and how they are tested
    replicas : effect sizes of other trainings by the SHA-256 of word sets and by test; empty where there are none

    Raises
    ------
    EvaluationSetUnreadable
    """
    sets = read_word_sets(asked.content, asked.name)
    measured = Measured(finder(vectors.find, vectors.reader), vectors.unit, norms)
    tests: list[TestResult] = []
    directions: list[DirectionResult] = []
    skipped: list[SkippedTest] = []
    for name in (*sets.tests, *sets.directions):
        try:
            if name in sets.tests:
                tests.append(_test(measured, sets, name, asked.options))
            if name in sets.directions:
                directions.append(_direction(measured, sets, name, asked.options))
        except WordSetUnusable as error:
            skipped.append(SkippedTest(test=name, reason=error.detail, missing=error.members["missing"]))
    adjusted = holm([test.p_value for test in tests])
    sha256 = hashlib.sha256(asked.content).hexdigest()
    others = replicas.get(sha256, {})
    return BiasReport(
        **sets.model_dump(include={"name", "version", "language", "experimental", "source", "licence"}),
        sha256=sha256,
        file=asked.origin,
        options=asked.options,
        tests=[
            beside_replicas(test.model_copy(update={"p_adjusted": p}), others)
            for test, p in zip(tests, adjusted, strict=True)
        ],
        skipped=skipped,
        directions=directions,
        caveats=[*CAVEATS, *([] if others else [SPREAD_UNKNOWN]), *([EXPERIMENTAL] if sets.experimental else [])],
    )


def _test(measured: Measured, sets: WordSets, name: str, options: BiasOptions) -> TestResult:
    test = sets.tests[name]
    found = [find_set(each, sets.sets[each], measured.find) for each in (*test.targets, *test.attributes)]
    refuse_unusable(found[:2], found[2:], options.max_missing)
    unit = [measured.unit[each.ids] for each in found]
    raw = [measured.rows(each.ids) for each in found]
    said = association(unit, found[:2], found[2:], options)
    others = measures(raw, unit, found[2:])
    return TestResult(**said, test=name, about=test.about, p_adjusted=said["p_value"], measures=others)


def _direction(measured: Measured, sets: WordSets, name: str, options: BiasOptions) -> DirectionResult:
    said = sets.directions[name]
    pairs, missing = _pairs(measured, said)
    if not pairs or len(missing) > options.max_missing * len(said.pairs):
        raise WordSetUnusable(
            f"{name}: {len(missing)} of {len(said.pairs)} pairs have a word without a vector, more than max_missing "
            f"allows ({options.max_missing:g}).",
            missing=missing,
        )
    direction, explained = bias_direction(np.stack([measured.unit[list(pair)] for pair in pairs]))
    raw_pairs = np.stack([measured.rows(pair) for pair in pairs])
    words = []
    for each in said.words:
        found = find_set(each, sets.sets[each], measured.find)
        if found.ids:
            words.append(
                DirectionWords(
                    name=each,
                    n=found.n,
                    n_used=len(found.ids),
                    direct_bias_unit=rounded(direct_bias(measured.unit[found.ids], direction)),
                    ripa_raw=rounded(ripa(raw_pairs, measured.rows(found.ids))),
                    missing=found.missing,
                )
            )
    return DirectionResult(
        direction=name,
        about=said.about,
        n_pairs=len(pairs),
        explained=[rounded(share) for share in explained[:N_EXPLAINED]],
        words=words,
        indirect=_indirect(measured, said.indirect, direction),
        missing=missing,
    )


def _pairs(measured: Measured, said: WordDirection) -> tuple[list[tuple[int, int]], list[str]]:
    """Ids of the pairs that differ, and the words of the others."""
    pairs, missing = [], []
    for pair in said.pairs:
        first, second = (find_item(item, measured.find) for item in pair)
        if first is None or second is None or np.array_equal(measured.unit[first], measured.unit[second]):
            missing.append("/".join(item.word for item in pair))
        else:
            pairs.append((first, second))
    return pairs, missing


def _indirect(measured: Measured, pairs: Sequence[tuple[Item, Item]], direction: DoubleArray) -> list[IndirectBias]:
    found = []
    for a, b in pairs:
        first, second = (find_item(item, measured.find) for item in (a, b))
        if first is not None and second is not None:
            value = indirect_bias(measured.unit[first], measured.unit[second], direction)
            if np.isfinite(value):
                found.append(IndirectBias(a=a.word, b=b.word, value=rounded(value)))
    return found
