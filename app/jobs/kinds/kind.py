"""What a kind of job must say."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.core.jobs import JobRequest
from app.core.storage import Storage


class Kind(Protocol):
    """Three steps, between which storage is asked without a transaction."""

    def find(self, session: Session, submission: Any, *, hold: bool) -> Any:
        """The rows that the job reads, or raise what is not there; with `hold` nobody deletes them until the end."""

    def check(self, submission: Any, found: Any, storage: Storage) -> None:
        """Raise what is wrong with the beginning of what the job reads."""

    def request(self, submission: Any, found: Any) -> JobRequest:
        """What the trainer is told."""
