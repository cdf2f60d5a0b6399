"""Submitting a training."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.core.catalog import LATEST, corpora, version_of
from app.core.catalog.sources import corpus_source, version_source
from app.core.errors import InvalidRequest, ModelNotFound, VersionNotFound
from app.core.jobs import JobRequest
from app.core.names import reference
from app.core.payloads import TrainPayload
from app.core.records import Corpus, Version
from app.core.storage import Storage
from app.jobs.schemas import TrainSubmission
from app.web.beginning import read_beginning


class Found(NamedTuple):
    """The corpus, and the version that the new one is to be comparable with."""

    corpus: Corpus
    previous: Version | None


class Train:
    """Reads one corpus, and the version before."""

    def find(self, session: Session, submission: TrainSubmission, *, hold: bool) -> Found:
        previous = _previous(session, submission, hold=hold) if submission.align else None
        return Found(corpora.named(session, submission.corpus, hold=hold), previous)

    def check(self, submission: TrainSubmission, found: Found, storage: Storage) -> None:
        """Raise `BadRecord` if the beginning of the corpus cannot be read as the job says."""
        if submission.evidence and submission.swap_pairs:
            raise InvalidRequest("evidence: it shows the text as it is, and cannot be had together with swap_pairs.")
        read_beginning(storage, found.corpus, submission.text.here())

    def request(self, submission: TrainSubmission, found: Found) -> JobRequest:
        corpus, previous = found
        payload = TrainPayload(
            corpus=corpus_source(corpus),
            algorithm=submission.algorithm,
            hyperparameters=submission.hyperparameters.model_dump(mode="json"),
            text=submission.text.here(),
            evidence=submission.evidence,
            publish=submission.publish,
            index=submission.index,
            align=version_source(previous) if previous else None,
            replicas=submission.replicas,
            swap_pairs=submission.swap_pairs,
        )
        return JobRequest(
            submission.kind,
            submission.model,
            payload.model_dump(mode="json"),
            corpus.id,
            versions=[reference(previous.model, previous.number)] if previous else None,
        )


def _previous(session: Session, submission: TrainSubmission, *, hold: bool) -> Version | None:
    """What the alias names that the job is to move, or else `latest`; None for a model that is new."""
    for alias in dict.fromkeys((submission.publish.alias or LATEST, LATEST)):
        with suppress(ModelNotFound, VersionNotFound):
            return version_of(session, submission.model, alias, hold=hold)
    return None
