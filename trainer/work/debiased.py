"""What a version after steps against a bias still shows of it, and what they have cost: part of its evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import structlog

from app.core.errors import WordkinError
from app.core.evaluation.bias.lists import gender_english
from app.core.evaluation.residue import Cost, Debiasing, ResidualBias, ScoreChange
from app.core.payloads import EvaluationSource, SetSource
from app.core.steps import Hard, Leace
from app.core.table.manifest import Manifest
from app.core.table.reading import Table, read_table
from trainer.deriving.concepts import concept_of
from trainer.deriving.working import Facts, Sources, Working
from trainer.evaluating.associations import association_changes
from trainer.evaluating.residue import Ids, Spaces, residual_bias
from trainer.evaluating.words import Vectors
from trainer.steps.progress import Progress
from trainer.work.context import Context
from trainer.work.evaluated import evaluation_of
from trainer.work.messages import Publishes

DEBIASING = "debiasing"
OVERLAP = "overlap_with_parent"
Done = Sequence[tuple[Hard | Leace, Facts]]
logger = structlog.get_logger()


def debiased(
    context: Context,
    published: Publishes,
    parent: Table,
    sources: Sources,
    done: Done,
    sets: Sequence[EvaluationSource],
) -> Publishes:
    """The same with what is left of the bias, in the job's result and in the version's evaluation.

    What cannot be measured loses nothing but that.
    """
    table = read_table(context.scratch / "version", Manifest.model_validate(published.manifest))
    try:
        evaluation = published.evaluation or evaluation_of(context, table, ())
        found = _measured(context, (parent, table), sources, done, _scores(context, parent, sets, evaluation))
    except WordkinError as error:
        logger.warning("evaluation failed", action="evaluation_failed", problem=error.problem())
        return replace(published, told=published.told | {"evaluation_failed": error.problem()})
    said = found.model_dump(mode="json")
    report = evaluation["report"] | {DEBIASING: said}
    return replace(published, evaluation=evaluation | {"report": report}, told=published.told | {DEBIASING: said})


def _measured(
    context: Context, tables: tuple[Table, Table], sources: Sources, done: Done, scores: list[ScoreChange]
) -> Debiasing:
    report = context.report(DEBIASING)
    parent, table = tables
    residue = []
    for number, (step, _) in enumerate(done):
        report(Progress(number / (len(done) + 1), step=step.step))
        residue += _residue(parent, table, step, sources)
    report(Progress(len(done) / (len(done) + 1), step="associations"))
    steps: list[dict[str, Any]] = [
        {"step": step.step, **{name: facts[name] for name in ("mean_cosine", "least_cosine")}} for step, facts in done
    ]
    associations = association_changes(_vectors(context, parent), _vectors(context, table))
    cost = Cost(steps=steps, overlap=table.manifest.metrics[OVERLAP], scores=scores)
    return Debiasing.of(residue, associations, cost)


def _vectors(context: Context, table: Table) -> Vectors:
    return Vectors(table.lookup.find, table.unit_vectors[:], table.reader, context.threads)


def _residue(parent: Table, table: Table, step: Hard | Leace, sources: Sources) -> list[ResidualBias]:
    """The tests on words that both versions have."""
    words = table.vocabulary.words()
    theirs = parent.vocabulary.ids_of(words)
    shared = np.flatnonzero(theirs >= 0)
    before = Working(parent.vocabulary.words(), parent.vocabulary.counts, parent.unit_vectors[:])
    concept = concept_of(before, step, sources)
    spaces = Spaces(before.vectors[theirs[shared]], table.unit_vectors[:][shared])
    left_out = np.flatnonzero(np.isin(theirs[shared], concept.left_out))
    targets = _professions(table, shared)
    return [residual_bias(name, spaces, direction, left_out, targets) for name, direction in concept.directions.items()]


def _professions(table: Table, shared: Ids) -> Ids:
    """Places among the shared words; none in other languages than English."""
    reader = table.reader
    ids = [table.lookup.find(reader.folded(word)) for word in gender_english().professions]
    return np.flatnonzero(np.isin(shared, [each for each in ids if each is not None]))


def _scores(
    context: Context, parent: Table, sets: Sequence[EvaluationSource], evaluation: dict[str, Any]
) -> list[ScoreChange]:
    """The parent is asked only the sets of which it is not known what it had."""
    results = evaluation["report"]["sets"]
    asked = zip((each for each in sets if isinstance(each, SetSource)), results, strict=False)
    unknown = [source for source, result in asked if result["before"] is None]
    again = iter(evaluation_of(context, parent, unknown)["report"]["sets"] if unknown else ())
    return [
        ScoreChange(
            file=result["file"]["name"],
            metric=result["metric"],
            before=_rounded(result["before"]["value"]) if result["before"] else _value(next(again)),
            after=_value(result),
        )
        for result in results
    ]


def _value(result: dict[str, Any]) -> float | None:
    found = result["scores"].get(result["metric"])
    return _rounded(found and found["value"])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
