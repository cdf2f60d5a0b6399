"""Submitting a training."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.core.catalog import LATEST, corpora, files, version_of
from app.core.catalog.sources import corpus_source, file_source, version_source
from app.core.costs.corpus import expected_tokens
from app.core.errors import InvalidRequest, ModelNotFound, VersionNotFound
from app.core.jobs import JobRequest
from app.core.names import in_one_order, reference
from app.core.payloads import StartSource, TrainPayload
from app.core.records import Corpus, File, Version
from app.core.storage import Storage
from app.jobs.kinds.start import check_continuable, check_start
from app.jobs.kinds.tokenizer import check_with_files
from app.jobs.schemas import TrainSubmission
from app.jobs.starts import StartChoice
from app.web.beginning import read_beginning


class Found(NamedTuple):
    """The corpus, the version to go on from, the version that the new one is to be comparable with, and the files that
    text is read with, by the names that they get as resources.
    """

    corpus: Corpus
    parent: Version | None
    previous: Version | None
    files: dict[str, File]


class Train:
    """Reads one corpus, and the version before or that it goes on from."""

    def find(self, session: Session, submission: TrainSubmission, *, hold: bool) -> Found:
        start, parent, previous = submission.start, None, None
        if start:
            parent = version_of(session, start.model, start.version, hold=hold)
        if submission.align:
            previous = parent or _previous(session, submission, hold=hold)
        wanted = submission.text.files()
        named = {name: files.named(session, name, hold=hold) for name in in_one_order(wanted.values())}
        read = {resource: named[name] for resource, name in wanted.items()}
        return Found(corpora.named(session, submission.corpus, hold=hold), parent, previous, read)

    def check(self, submission: TrainSubmission, found: Found, storage: Storage) -> None:
        """Raise `BadRecord` if the beginning of the corpus cannot be read as the job says.

        Raise `InvalidRequest` for what does not go together, and `ExtraMissing` or `TokenizerUnusable`.
        """
        if submission.evidence and submission.swap_pairs:
            raise InvalidRequest("evidence: it shows the text as it is, and cannot be had together with swap_pairs.")
        if submission.start and submission.text.phrases:
            raise InvalidRequest("start: phrases are found anew in every corpus; train without a start.")
        if submission.continuable:
            check_continuable(submission)
        if submission.start and found.parent:
            check_start(submission, submission.start.freeze, found.parent)
        check_with_files(submission.text, found.files, storage)
        read_beginning(storage, found.corpus, submission.text.here())

    def request(self, submission: TrainSubmission, found: Found) -> JobRequest:
        corpus, parent, previous, read_with = found
        payload = TrainPayload(
            corpus=corpus_source(corpus),
            algorithm=submission.algorithm,
            hyperparameters=submission.hyperparameters.model_dump(mode="json"),
            text=submission.text.here(),
            text_files={name: file_source(file) for name, file in read_with.items()},
            evidence=submission.evidence,
            publish=submission.publish,
            index=submission.index,
            align=version_source(previous) if previous else None,
            replicas=submission.replicas,
            swap_pairs=submission.swap_pairs,
            start=_start(submission.start, parent) if submission.start and parent else None,
            continuable=submission.continuable,
        )
        read = parent or previous
        n_tokens = expected_tokens(corpus.n_bytes) if corpus.n_words is None else corpus.n_words
        chosen = submission.hyperparameters
        return JobRequest(
            submission.kind,
            submission.model,
            payload.model_dump(mode="json"),
            corpus.id,
            file_ids=sorted({file.id for file in read_with.values()}) or None,
            versions=[reference(read.model, read.number)] if read else None,
            cost=n_tokens * chosen.epochs * chosen.dim * submission.replicas,
        )


def _start(said: StartChoice, parent: Version) -> StartSource:
    return StartSource(version=version_source(parent), freeze=said.freeze, anchor_strength=said.anchor_strength)


def _previous(session: Session, submission: TrainSubmission, *, hold: bool) -> Version | None:
    """What the alias names that the job is to move, or else `latest`; None for a model that is new."""
    for alias in dict.fromkeys((submission.publish.alias or LATEST, LATEST)):
        with suppress(ModelNotFound, VersionNotFound):
            return version_of(session, submission.model, alias, hold=hold)
    return None
