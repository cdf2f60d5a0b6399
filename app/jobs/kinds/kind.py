"""What a kind of job must say."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.core.jobs import JobRequest
from app.core.storage import Storage
from app.core.vector_files import TextShape


class Kind(Protocol):
    """Three steps, between which storage is asked without a transaction."""

    def find(self, session: Session, submission: Any, *, hold: bool) -> Any:
        """The rows that the job reads, or raise what is not there; with `hold` nobody deletes them until the end."""

    def check(self, submission: Any, found: Any, storage: Storage) -> TextShape | None:
        """Raise what is wrong with the beginning of what the job reads; the table that a file of vectors will be."""

    def request(self, submission: Any, found: Any) -> JobRequest:
        """What the trainer is told."""
