"""Submitting the training of a classifier."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from app.core import catalog
from app.core.catalog.sources import file_source, version_source
from app.core.jobs import JobRequest
from app.core.names import reference
from app.core.payloads import ClassifierPayload
from app.core.records import File, Version
from app.core.storage import Storage
from app.core.text.labelled import LabelledFields
from app.jobs.kinds.derive import version_named
from app.jobs.schemas import ClassifierSubmission
from app.web.beginning import check_labelled


class Found(NamedTuple):
    """The version of vectors, and the file of labelled texts."""

    base: Version
    file: File


class Classifier:
    """Reads a version and a file."""

    def find(self, session: Session, submission: ClassifierSubmission, *, hold: bool) -> Found:
        base = version_named(session, reference(submission.model, submission.version), hold=hold)
        return Found(base, catalog.files.named(session, submission.file, hold=hold))

    def check(self, submission: ClassifierSubmission, found: Found, storage: Storage) -> None:
        """Raise `BadRecord` if the beginning of the file has no labelled texts where the job says."""
        check_labelled(storage, found.file, _fields(submission))

    def request(self, submission: ClassifierSubmission, found: Found) -> JobRequest:
        chosen = submission.model_dump(include={"features", "held_out", "min_texts", "c", "seed", "publish"})
        payload = ClassifierPayload(
            base=version_source(found.base), file=file_source(found.file), fields=_fields(submission), **chosen
        )
        return JobRequest(
            submission.kind,
            submission.name,
            payload.model_dump(mode="json"),
            file_ids=[found.file.id],
            versions=[reference(found.base.model, found.base.number)],
        )


def _fields(submission: ClassifierSubmission) -> LabelledFields:
    return LabelledFields(**submission.model_dump(include=set(LabelledFields.model_fields)))
