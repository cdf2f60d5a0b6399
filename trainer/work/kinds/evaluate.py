"""An evaluation as prose: a version and questions -> scores."""

from __future__ import annotations

from app.core.payloads import EvaluatePayload
from trainer.work.context import Context
from trainer.work.evaluated import evaluation_of, told
from trainer.work.messages import Evaluates
from trainer.work.stored import open_version


def run(payload: EvaluatePayload, context: Context) -> Evaluates:
    """Ask the version."""
    table = open_version(context, payload.evaluated)
    found = evaluation_of(context, table, payload.sets)
    return Evaluates(payload.evaluated.model, payload.evaluated.version, found, told(found))
