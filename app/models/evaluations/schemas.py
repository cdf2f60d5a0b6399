"""What the endpoints about evaluations take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.core.evaluation.bias.results import BiasReport
from app.core.evaluation.gate import Evaluated
from app.core.evaluation.results import EvaluationReport, Geometry, Interval, Metric
from app.core.evaluation.sets import SetType
from app.core.evaluation.statistics import difference
from app.core.records import Evaluation
from app.core.table.manifest import FileOrigin


class EvaluationDescription(EvaluationReport):
    """One evaluation of a version. It never changes."""

    id: str
    model: str
    version: int
    job_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Evaluation) -> EvaluationDescription:
        own = {name: getattr(row, name) for name in ("id", "model", "version", "job_id", "created_at")}
        return cls.model_validate(row.report | own)


class EvaluationList(BaseModel):
    evaluations: Annotated[list[EvaluationDescription], Field(description="newest first")]


class ComparedSet(BaseModel):
    """The main scores of two versions on the questions that both cover, and `b` less `a` with its interval.

    If the interval is on one side of zero, the difference is more than chance of these questions.
    """

    file: FileOrigin
    type: SetType
    metric: Metric
    n: int
    n_common: int
    a: float
    b: float
    difference: float
    interval: Interval
    coverage_a: float
    coverage_b: float


class ComparedTest(BaseModel):
    """The effect sizes of a test of bias in two versions; a sign that flips is a bias the other way, not less of it."""

    word_sets: str
    test: str
    a: float
    b: float
    p_a: float
    p_b: float
    flips: Annotated[bool, Field(description="the effect sizes have different signs")]

    @classmethod
    def of(cls, a: BiasReport, b: BiasReport) -> list[ComparedTest]:
        """The tests that both could do."""
        before = {test.test: test for test in a.tests}
        return [
            cls(
                word_sets=b.name,
                test=test.test,
                a=before[test.test].effect_size,
                b=test.effect_size,
                p_a=before[test.test].p_value,
                p_b=test.p_value,
                flips=before[test.test].effect_size * test.effect_size < 0,
            )
            for test in b.tests
            if test.test in before
        ]


class Comparison(BaseModel):
    """Two versions of a model by the sets that both have been evaluated with."""

    model: str
    a: int
    b: int
    sets: list[ComparedSet]
    bias: Annotated[list[ComparedTest], Field(description="tests of the same word sets, done in the same way")]
    only_a: Annotated[list[str], Field(description="files of questions that only `a` was evaluated with")]
    only_b: Annotated[list[str], Field(description="the same of `b`")]
    geometry_a: Geometry | None
    geometry_b: Geometry | None

    @classmethod
    def of(cls, model: str, a: Evaluated, b: Evaluated) -> Comparison:
        """Both from stored outcomes alone, so that anybody finds the same."""
        sets, matched = [], set()
        for before, its_outcomes in a.newest():
            for after, outcomes in b.newest():
                found = difference(its_outcomes, outcomes) if before.asks_the_same(after) else None
                if found is None:
                    continue
                matched.add(before.file.name)
                sets.append(
                    ComparedSet(
                        file=after.file,
                        type=after.type,
                        metric=after.metric,
                        n=after.n,
                        n_common=found.n,
                        a=found.a,
                        b=found.b,
                        difference=found.b - found.a,
                        interval=found.interval,
                        coverage_a=before.coverage,
                        coverage_b=after.coverage,
                    )
                )
        files_a, files_b = ({result.file.name for result, _ in each.newest()} for each in (a, b))
        return cls(
            model=model,
            a=a.version,
            b=b.version,
            sets=sets,
            bias=[
                test
                for before in a.newest_bias()
                for after in b.newest_bias()
                if (before.sha256, before.options) == (after.sha256, after.options)
                for test in ComparedTest.of(before, after)
            ],
            only_a=sorted(files_a - matched),
            only_b=sorted(files_b - matched),
            geometry_a=a.geometry,
            geometry_b=b.geometry,
        )
