"""What is held against a version that an alias is to name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from app.core.evaluation import statistics
from app.core.evaluation.bias.results import BiasReport
from app.core.evaluation.policy import PolicyBias, PolicyResidue, PolicySet, StoredPolicy
from app.core.evaluation.residue import Debiasing
from app.core.evaluation.results import EvaluationReport, Geometry, Interval, Outcomes, SetResult
from app.core.evaluation.sets import EvaluationSet
from app.core.payloads import FileSource


class Evidence(BaseModel):
    """One thing that is held against a version; `difference` is the interval of its value less the present one's."""

    rule: Literal["floor", "max_drop", "min_coverage", "max_hubness_ratio", "max_effect_size", "max_found", "evaluated"]
    file: str | None = None
    metric: str | None = None
    limit: float | None = None
    value: float | None = None
    present: float | None = None
    present_version: int | None = None
    difference: Interval | None = None
    told: str


class Evaluated(BaseModel):
    """All that is known of a version: its evaluations, newest first, each with what its scores are made from."""

    version: int
    reports: list[tuple[EvaluationReport, list[Outcomes]]]

    def of(self, wanted: EvaluationSet, sha256: str) -> tuple[SetResult, Outcomes] | None:
        """The newest result of a set."""
        for result, outcomes in self.newest():
            same = result.file.sha256 == sha256 and all(
                getattr(result, name) == getattr(wanted, name) for name in ("max_words", "k", "oov")
            )
            if same and wanted.type in {"auto", result.type}:
                return result, outcomes
        return None

    def newest(self) -> list[tuple[SetResult, Outcomes]]:
        """The newest result of each set, the last evaluated first."""
        found: list[tuple[SetResult, Outcomes]] = []
        for report, outcomes in self.reports:
            for result, its in zip(report.sets, outcomes, strict=True):
                if not any(result.asks_the_same(other) for other, _ in found):
                    found.append((result, its))
        return found

    def bias(self, word_sets: str, sha256: str | None) -> BiasReport | None:
        """The newest report of an uploaded file's word sets, or of shipped ones."""
        reports = self.newest_bias()
        if sha256 is None:
            return next((each for each in reports if each.file is None and each.name == word_sets), None)
        return next((each for each in reports if each.file and each.file.sha256 == sha256), None)

    def newest_bias(self) -> list[BiasReport]:
        """The newest report of each collection of word sets, the last measured first."""
        found: dict[str, BiasReport] = {}
        for report, _ in self.reports:
            for bias in report.bias:
                found.setdefault(bias.sha256, bias)
        return list(found.values())

    @property
    def debiasing(self) -> Debiasing | None:
        """The newest that was found after steps against a bias."""
        return next((report.debiasing for report, _ in self.reports if report.debiasing), None)

    @property
    def geometry(self) -> Geometry | None:
        return self.reports[0][0].geometry if self.reports else None

    @property
    def hubness_skew(self) -> float | None:
        return self.geometry.hubness_skew if self.geometry else None


def held_against(stored: StoredPolicy, new: Evaluated, present: Evaluated | None) -> list[Evidence]:
    """What keeps a version from following `present`, or from being the first; nothing if that is empty."""
    found: list[Evidence] = []
    for rule in stored.policy.sets:
        if rule.floor is None and rule.max_drop is None and rule.min_coverage is None:
            continue
        found += _of_set(rule, stored.files[rule.file].sha256, new, present)
    for bound in stored.policy.bias:
        found += _of_bias(bound, stored.files.get(bound.word_sets), new)
    for left in stored.policy.residue:
        found += _of_residue(left, new)
    if stored.policy.max_hubness_ratio is not None:
        found += _of_hubness(stored.policy.max_hubness_ratio, new, present)
    return found


def _missing(version: int, file: str | None, what: str) -> Evidence:
    return Evidence(
        rule="evaluated", file=file, told=f'{what} Submit {{"kind": "evaluate", "version": "{version}"}} with it first.'
    )


def _of_set(rule: PolicySet, sha256: str, new: Evaluated, present: Evaluated | None) -> Sequence[Evidence]:
    answered = new.of(rule, sha256)
    if answered is None:
        return [_missing(new.version, rule.file, f"Version {new.version} has not been evaluated with {rule.file}.")]
    result, outcomes = answered
    told: dict[str, Any] = {"file": rule.file, "metric": result.metric, "value": result.value}
    found = []
    if rule.min_coverage is not None and result.coverage < rule.min_coverage:
        found.append(
            Evidence(
                rule="min_coverage",
                limit=rule.min_coverage,
                told=f"{rule.file}: {result.coverage:.4f} of the questions are covered, not {rule.min_coverage:g}.",
                **told | {"value": result.coverage},
            )
        )
    if rule.floor is not None and (result.value is None or result.value < rule.floor):
        value = "nothing is covered" if result.value is None else f"{result.metric} is {result.value:.4f}"
        found.append(
            Evidence(rule="floor", limit=rule.floor, told=f"{rule.file}: {value}, not {rule.floor:g} or more.", **told)
        )
    if rule.max_drop is not None and present is not None:
        found += _of_drop(rule, sha256, new.version, (result, outcomes), present)
    return found


def _of_drop(
    rule: PolicySet, sha256: str, new_version: int, new: tuple[SetResult, Outcomes], present: Evaluated
) -> Sequence[Evidence]:
    before, limit = present.of(rule, sha256), rule.max_drop or 0.0
    if before is None:
        what = f"Version {present.version}, which the alias names, has not been evaluated with {rule.file}."
        return [_missing(present.version, rule.file, what)]
    difference = statistics.difference(before[1], new[1])
    if difference is None:
        if before[0].value is None:
            return []
        return [_missing(new_version, rule.file, f"{rule.file}: no questions are covered by both versions.")]
    if difference.interval.high >= -limit:
        return []
    return [
        Evidence(
            rule="max_drop",
            file=rule.file,
            metric=new[0].metric,
            limit=limit,
            value=difference.b,
            present=difference.a,
            present_version=present.version,
            difference=difference.interval,
            told=f"{rule.file}: {new[0].metric} falls from {difference.a:.4f} to {difference.b:.4f} on the same "
            f"{difference.n:,} questions; with 95 % confidence by more than {limit:g}.",
        )
    ]


def _of_bias(bound: PolicyBias, file: FileSource | None, new: Evaluated) -> Sequence[Evidence]:
    report = new.bias(bound.word_sets, file.sha256 if file else None)
    if report is None:
        what = f'Version {new.version} has not been measured with {bound.word_sets} (suite "bias").'
        return [_missing(new.version, bound.word_sets, what)]
    skipped = {each.test: each.reason for each in report.skipped}
    test = next((each for each in report.tests if each.test == bound.test), None)
    if test is None:
        why = skipped.get(bound.test, f"{bound.word_sets} has no such test.")
        return [Evidence(rule="evaluated", file=bound.word_sets, told=f"{bound.test} could not be measured: {why}")]
    if abs(test.effect_size) <= bound.max_effect_size:
        return []
    return [
        Evidence(
            rule="max_effect_size",
            file=bound.word_sets,
            metric=f"{bound.test}_effect_size_{test.deviation}",
            limit=bound.max_effect_size,
            value=test.effect_size,
            told=f"{bound.test}: the effect size is {test.effect_size:+.4f}, "
            f"beyond {bound.max_effect_size:g} either way.",
        )
    ]


def _of_residue(bound: PolicyResidue, new: Evaluated) -> Sequence[Evidence]:
    if new.debiasing is None:
        told = f"Version {new.version} was not made by steps against a bias; nothing is known of what is left of one."
        return [Evidence(rule="evaluated", metric=bound.test, told=told)]
    found = []
    for bias in new.debiasing.residue:
        test = next((each for each in bias.tests if each.test == bound.test), None)
        if test is None or test.after is None:
            told = f"{bias.direction}: {bound.test} could not be asked; there are too few words."
            found.append(Evidence(rule="evaluated", metric=bound.test, told=told))
        elif abs(test.after) > bound.max_found:
            told = f"{bias.direction}: {bound.test} still finds {test.after:.4f}, not {bound.max_found:g} or less."
            metric = f"{bound.test}_{test.metric}"
            found.append(Evidence(rule="max_found", metric=metric, limit=bound.max_found, value=test.after, told=told))
    return found


def _of_hubness(limit: float, new: Evaluated, present: Evaluated | None) -> Sequence[Evidence]:
    if present is None:
        return []
    for each in (new, present):
        if each.hubness_skew is None:
            return [_missing(each.version, None, f"Version {each.version} has not been evaluated.")]
    value, before = new.hubness_skew or 0.0, present.hubness_skew or 0.0
    if value <= max(before, 0.0) * limit:
        return []
    told = f"The skewness of neighbourship grows from {before:.2f} to {value:.2f}, beyond {limit:g} times."
    return [
        Evidence(
            rule="max_hubness_ratio",
            limit=limit,
            value=value,
            present=before,
            present_version=present.version,
            told=told,
        )
    ]
