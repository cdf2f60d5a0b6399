"""Submitting an evaluation, and the evaluation that the policy of a model wants of whatever is published."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import catalog
from app.core.catalog.evaluations import policy_of
from app.core.catalog.sources import file_source, version_source
from app.core.evaluation.bias.words import SHIPPED
from app.core.jobs import JobRequest
from app.core.names import in_one_order, reference
from app.core.payloads import BiasSource, EvaluatePayload, SetSource
from app.core.records import File, Model, Version
from app.core.storage import Storage
from app.jobs.kinds.derive import version_named
from app.jobs.schemas import EvaluateSubmission
from app.web.beginning import check_questions, check_word_sets


@dataclass(frozen=True)
class Found:
    """The version that is asked, and the files of questions by how they are named."""

    version: Version
    files: dict[str, File]


class Evaluate:
    """Reads a version and files of questions."""

    def find(self, session: Session, submission: EvaluateSubmission, *, hold: bool) -> Found:
        version = version_named(session, reference(submission.model, submission.version), hold=hold)
        names = in_one_order([*(each.file for each in submission.sets), *_uploaded(submission)])
        return Found(version, {name: catalog.files.named(session, name, hold=hold) for name in names})

    def check(self, submission: EvaluateSubmission, found: Found, storage: Storage) -> None:
        """Raise `EvaluationSetUnreadable` if the beginning of a set cannot be read as the job says."""
        for each in submission.sets:
            check_questions(storage, found.files[each.file], each)
        for name in _uploaded(submission):
            check_word_sets(storage, found.files[name], name)

    def request(self, submission: EvaluateSubmission, found: Found) -> JobRequest:
        sets = tuple(SetSource(asked=each, file=file_source(found.files[each.file])) for each in submission.sets)
        files = {name: file_source(found.files[name]) for name in _uploaded(submission)}
        bias = tuple(
            BiasSource(word_sets=name, options=submission.options, file=files.get(name))
            for name in (submission.word_sets if submission.suite else ())
        )
        payload = EvaluatePayload(evaluated=version_source(found.version), sets=(*sets, *bias))
        return JobRequest(
            submission.kind,
            submission.model,
            payload.model_dump(mode="json"),
            file_ids=[file.id for file in found.files.values()],
            versions=[reference(found.version.model, found.version.number)],
        )


def _uploaded(submission: EvaluateSubmission) -> list[str]:
    """The word sets of the suite that are files."""
    return [name for name in submission.word_sets if name not in SHIPPED] if submission.suite else []


def with_policy(session: Session, request: JobRequest) -> JobRequest:
    """The same job, told to evaluate what it publishes with the sets of its model's policy, too."""
    if request.kind in {"evaluate", "classifier"} or request.model is None:
        return request
    model = session.get(Model, request.model)
    stored = policy_of(model) if model else None
    if stored is None:
        return request
    said = [SetSource.model_validate(each) for each in request.payload.get("evaluate", ())]
    asked = [its for its in stored.sets() if isinstance(its, SetSource)]
    others = [each for each in said if not any(each.is_like(its) for its in asked)]
    sets = [each.model_dump(mode="json") for each in (*stored.sets(), *others)]
    keys = [file.key for file in stored.files.values()]
    ids = [*(request.file_ids or ()), *session.scalars(select(File.id).where(File.key.in_(keys)))]
    return replace(request, payload=request.payload | {"evaluate": sets}, file_ids=sorted(set(ids)) or None)
