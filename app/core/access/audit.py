"""Who did what: everything but reading that is done with a key, written down before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.database import now
from app.core.jobs import new_id
from app.core.records import AuditEntry

MAX_PATH = 500


@dataclass(frozen=True)
class Deed:
    """What somebody is about to do."""

    key_id: str
    key_name: str
    address: str | None
    method: str
    path: str
    request_id: str | None


def begin(session: Session, deed: Deed) -> str:
    """Write down what is about to be done; returns the entry's id."""
    moment = now(session)
    entry = AuditEntry(id=new_id(moment), at=moment, **{**vars(deed), "path": deed.path[:MAX_PATH]})
    session.add(entry)
    session.flush()
    return entry.id


def end(session: Session, entry_id: str, status: int) -> None:
    """Write down how it was answered."""
    session.execute(update(AuditEntry).where(AuditEntry.id == entry_id).values(status=status))


def page(session: Session, *, limit: int, before: str | None = None) -> Sequence[AuditEntry]:
    """Newest first; the last id continues the list."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    return session.scalars(query.where(AuditEntry.id < before) if before else query).all()


def forget(session: Session, days: float) -> None:
    """Delete what is older than so many days."""
    session.execute(delete(AuditEntry).where(AuditEntry.at < now(session) - timedelta(days=days)))
