"""All sets of an evaluation, one after the other, and the geometry."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.core.evaluation.results import EvaluationReport
from app.core.evaluation.sets import EvaluationSet, read_questions
from app.core.table.manifest import FileOrigin
from app.core.table.reading import Table
from app.core.table.tokenised import word_composer
from trainer.evaluating.bias import AskedBias, bias_report
from trainer.evaluating.geometry import geometry
from trainer.evaluating.scoring import evaluate
from trainer.evaluating.spread import SPREAD_METRIC
from trainer.evaluating.words import Vectors
from trainer.steps.progress import Progress, Report

GEOMETRY = "geometry"


class Asked(NamedTuple):
    """A set, the local file that has it, and where that comes from."""

    asked: EvaluationSet
    path: Path
    origin: FileOrigin


def evaluate_table(
    table: Table, sets: Sequence[Asked], bias: Sequence[AskedBias], threads: int, report: Report
) -> dict[str, Any]:
    """The ``report`` and the ``outcomes`` that its scores are made from, as JSON has them.

    Raises
    ------
    EvaluationSetUnreadable
    """
    started = time.monotonic()
    composer = word_composer(table, table.reader)
    vectors = Vectors(table.lookup.find, table.unit_vectors[:], table.reader, threads, composer)
    results, outcomes = [], []
    n_steps = len(sets) + len(bias) + 1
    for number, (asked, path, origin) in enumerate(sets):
        report(Progress(number / n_steps, step=asked.file))
        questions = read_questions(path.read_bytes(), asked.type, asked.file)
        result, its = evaluate(vectors, questions, asked, origin)
        results.append(result)
        outcomes.append(its.model_dump(mode="json"))
    measured, replicas = [], table.manifest.metrics.get(SPREAD_METRIC, {})
    for number, each in enumerate(bias, len(sets)):
        report(Progress(number / n_steps, step=each.name))
        measured.append(bias_report(vectors, table.norms, each, replicas))
    report(Progress((n_steps - 1) / n_steps, step=GEOMETRY))
    found = EvaluationReport(
        sets=results,
        geometry=geometry(vectors.unit, table.norms),
        bias=measured,
        seconds=round(time.monotonic() - started, 3),
    )
    return {"report": found.model_dump(mode="json"), "outcomes": outcomes}
