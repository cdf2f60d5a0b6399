"""Evaluations of versions, and the policy that every move of an alias obeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.core.database import now
from app.core.evaluation.gate import Evaluated, Evidence, held_against
from app.core.evaluation.policy import StoredPolicy
from app.core.evaluation.results import EvaluationReport, Outcomes, SetResult
from app.core.jobs import new_id
from app.core.records import Evaluation, Model, Version

N_LOOKED_AT = 100
"""Of a version's evaluations, the newest: older ones decide nothing."""
_outcomes: TypeAdapter[list[Outcomes]] = TypeAdapter(list[Outcomes])


def add(session: Session, version: Version, job_id: str, found: dict[str, Any]) -> Evaluation:
    """Keep what an evaluation has found: its ``report`` and ``outcomes``."""
    moment = now(session)
    row = Evaluation(
        id=new_id(moment),
        model=version.model,
        version=version.number,
        job_id=job_id,
        report=found["report"],
        outcomes=found["outcomes"],
        created_at=moment,
    )
    session.add(row)
    session.flush()
    return row


def of_version(session: Session, version: Version, *, limit: int = N_LOOKED_AT) -> Sequence[Evaluation]:
    """The evaluations of a version, newest first."""
    query = select(Evaluation).where(Evaluation.model == version.model, Evaluation.version == version.number)
    return session.scalars(query.order_by(Evaluation.id.desc()).limit(limit)).all()


def sets_of(session: Session, version: Version) -> list[SetResult]:
    """What a version has answered to each set, the last evaluated first."""
    found: list[SetResult] = []
    for row in of_version(session, version):
        for result in EvaluationReport.model_validate(row.report).sets:
            if not any(result.asks_the_same(other) for other in found):
                found.append(result)
    return found


def evaluated(session: Session, model: str, number: int) -> Evaluated:
    """The same with what the scores are made from."""
    query = (
        select(Evaluation)
        .options(undefer(Evaluation.outcomes))
        .where(Evaluation.model == model, Evaluation.version == number)
        .order_by(Evaluation.id.desc())
        .limit(N_LOOKED_AT)
    )
    return Evaluated(
        version=number,
        reports=[
            (EvaluationReport.model_validate(row.report), _outcomes.validate_python(row.outcomes))
            for row in session.scalars(query)
        ],
    )


def policy_of(model: Model) -> StoredPolicy | None:
    return StoredPolicy.model_validate(model.policy) if model.policy else None


def evidence(session: Session, version: Version, present: int | None) -> list[Evidence]:
    """What the model's policy holds against an alias that names `present`, or is new, moving to this version."""
    model = session.get_one(Model, version.model)
    stored = policy_of(model)
    if stored is None or present == version.number:
        return []
    before = None if present is None else evaluated(session, version.model, present)
    return held_against(stored, evaluated(session, version.model, version.number), before)
