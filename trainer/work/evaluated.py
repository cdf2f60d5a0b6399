"""The evaluation of a table, whether it is the job or follows a publication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from app.core.errors import WordkinError
from app.core.evaluation.bias.words import SHIPPED, read_word_sets, shipped_content
from app.core.evaluation.results import Before, SetResult
from app.core.payloads import BiasSource, EvaluationSource, SetSource
from app.core.table.reading import Table
from trainer.evaluating.bias import AskedBias
from trainer.evaluating.report import Asked, evaluate_table
from trainer.work.context import Context
from trainer.work.stored import verified_file

EVALUATING = "evaluating"
logger = structlog.get_logger()


def evaluation_of(context: Context, table: Table, sets: Sequence[EvaluationSource]) -> dict[str, Any]:
    """Report and outcomes.

    Raises
    ------
    EvaluationSetUnreadable, FileMissing, FileDamaged
    """
    report = context.report(EVALUATING)
    asked = [
        Asked(each.asked, verified_file(context, each.file), each.file.origin())
        for each in sets
        if isinstance(each, SetSource)
    ]
    bias = [_asked_bias(context, each) for each in sets if isinstance(each, BiasSource)]
    return evaluate_table(table, asked, bias, context.threads, report)


def _asked_bias(context: Context, source: BiasSource) -> AskedBias:
    if source.file is None:
        return AskedBias(shipped_content(source.word_sets), source.word_sets, None, source.options)
    content = verified_file(context, source.file).read_bytes()
    return AskedBias(content, source.word_sets, source.file.origin(), source.options)


def word_sets_of(context: Context, sources: Sequence[EvaluationSource]) -> list[bytes]:
    """All shipped word sets and the files of the sources, as they are; one that cannot be read is left out."""
    shipped = [BiasSource(word_sets=name) for name in SHIPPED]
    contents = []
    for source in (*shipped, *(each for each in sources if isinstance(each, BiasSource) and each.file)):
        try:
            content = _asked_bias(context, source).content
            read_word_sets(content, source.word_sets)
        except WordkinError as error:
            logger.warning("word sets left out", action="word_sets_left_out", problem=error.problem())
        else:
            contents.append(content)
    return contents


def beside(found: dict[str, Any], before: Sequence[SetResult]) -> dict[str, Any]:
    """The same, with what the parent of the version had answered to its sets."""
    sets = []
    for result in map(SetResult.model_validate, found["report"]["sets"]):
        its = next((each for each in before if each.asks_the_same(result)), None)
        noted = result.model_copy(update={"before": its and Before(value=its.value, n_covered=its.n_covered)})
        sets.append(noted.model_dump(mode="json"))
    return found | {"report": found["report"] | {"sets": sets}}


def told(found: dict[str, Any]) -> dict[str, Any]:
    """What the job's result says of it: the scores, and that of them which matters first."""
    sets = found["report"]["sets"]
    scores = [
        {name: each[name] for name in ("type", "metric", "n", "n_covered", "oov", "found")}
        | {"file": each["file"]["name"], "value": each["scores"].get(each["metric"], {}).get("value")}
        | ({"before": each["before"]} if each["before"] else {})
        for each in sets
    ]
    bias = [
        {name: test[name] for name in ("test", "effect_size", "p_value", "p_adjusted")}
        | {"word_sets": each["name"]}
        | ({"seeds": test["seeds"]} if test["seeds"] else {})
        for each in found["report"]["bias"]
        for test in each["tests"]
    ]
    return {"scores": scores} | ({"bias": bias} if found["report"]["bias"] else {})
