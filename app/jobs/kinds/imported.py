"""Submitting an import."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from app.core import catalog
from app.core.catalog.sources import file_source
from app.core.errors import VectorsUnreadable
from app.core.jobs import JobRequest
from app.core.names import in_one_order
from app.core.payloads import ImportPayload
from app.core.records import File
from app.core.storage import Storage
from app.core.vector_files import HEAD_BYTES, WITHOUT_WORDS, TextShape, expected_shape, recognise
from app.jobs.kinds.tokenizer import check_tokenizer
from app.jobs.schemas import ImportSubmission


class Found(NamedTuple):
    """The files that an import reads."""

    file: File
    vocabulary: File | None


class Import:
    """Reads a file of vectors, and perhaps one of words and their counts."""

    def find(self, session: Session, submission: ImportSubmission, *, hold: bool) -> Found:
        named = in_one_order(filter(None, [submission.file, submission.vocabulary]))
        files = {name: catalog.files.named(session, name, hold=hold) for name in named}
        return Found(files[submission.file], files[submission.vocabulary] if submission.vocabulary else None)

    def check(self, submission: ImportSubmission, found: Found, storage: Storage) -> TextShape | None:
        """Raise `VectorsUnreadable` if the file is of no format that can be read, or if its words are missing.

        Raise `InvalidRequest` or `ExtraMissing` for a tokenizer that words from elsewhere cannot be read with.
        """
        check_tokenizer(submission.text)
        head = storage.beginning(found.file.key, min(found.file.n_bytes, HEAD_BYTES))
        name: str = recognise(head) if head and submission.format == "auto" else submission.format
        if name in WITHOUT_WORDS and not submission.vocabulary:
            raise VectorsUnreadable(
                f"A file of {name} has vectors and no words: give a `vocabulary` with one word a line, in their order."
            )
        if name == "native" and submission.vocabulary:
            raise VectorsUnreadable("An exported version has its words and counts; it takes no `vocabulary`.")
        return expected_shape(head, name, found.file.n_bytes) if head else None

    def request(self, submission: ImportSubmission, found: Found) -> JobRequest:
        sources = {name: file_source(file) for name, file in found._asdict().items() if file}
        said = submission.model_dump(exclude={"kind", "model", "priority", *sources})
        payload = ImportPayload.model_validate(said | sources | {"text": submission.text.here()})
        ids = [file.id for file in found if file]
        return JobRequest(submission.kind, submission.model, payload.model_dump(mode="json"), file_ids=ids)
