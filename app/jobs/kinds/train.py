"""Submitting a training."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.core.catalog import corpora
from app.core.jobs import JobRequest
from app.core.names import split_reference
from app.core.payloads import CorpusSource, TrainPayload
from app.core.records import Corpus
from app.core.storage import Storage
from app.jobs.schemas import TrainSubmission
from app.web.beginning import read_beginning


class Train:
    """Reads one corpus."""

    def find(self, session: Session, submission: TrainSubmission, *, hold: bool) -> Corpus:
        name, revision = split_reference(submission.corpus)
        return (corpora.hold if hold else corpora.get)(session, name, int(revision) if revision else None)

    def check(self, submission: TrainSubmission, found: Corpus, storage: Storage) -> None:
        """Raise `BadRecord` if the beginning of the corpus cannot be read as the job says."""
        read_beginning(storage, found, submission.text.here())

    def request(self, submission: TrainSubmission, found: Corpus) -> JobRequest:
        payload = TrainPayload(
            corpus=CorpusSource(
                name=found.name, revision=found.revision, key=found.key, sha256=found.sha256, n_bytes=found.n_bytes
            ),
            algorithm=submission.algorithm,
            hyperparameters=submission.hyperparameters.model_dump(mode="json"),
            text=submission.text.here(),
            publish=submission.publish,
            index=submission.index,
        )
        return JobRequest(submission.kind, submission.model, payload.model_dump(mode="json"), found.id)
