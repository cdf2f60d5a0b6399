"""The evaluation of a table, whether it is the job or follows a publication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.payloads import SetSource
from app.core.table.reading import Table
from trainer.evaluating.report import Asked, evaluate_table
from trainer.work.context import Context
from trainer.work.stored import verified_file

EVALUATING = "evaluating"


def evaluation_of(context: Context, table: Table, sets: Sequence[SetSource]) -> dict[str, Any]:
    """Report and outcomes.

    Raises
    ------
    EvaluationSetUnreadable, FileMissing, FileDamaged
    """
    report = context.report(EVALUATING)
    asked = [Asked(each.asked, verified_file(context, each.file), each.file.origin()) for each in sets]
    return evaluate_table(table, asked, context.threads, report)


def told(found: dict[str, Any]) -> dict[str, Any]:
    """What the job's result says of it: the scores, and that of them which matters first."""
    sets = found["report"]["sets"]
    scores = [
        {name: each[name] for name in ("type", "metric", "n", "n_covered")}
        | {"file": each["file"]["name"], "value": each["scores"].get(each["metric"], {}).get("value")}
        for each in sets
    ]
    return {"scores": scores}
