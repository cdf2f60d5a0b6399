"""What trainers say of the machines that they run on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import now, serialise
from app.core.records import Record

KNOWN_DAYS, KEPT_DAYS = 1.0, 7.0
"""For how long a machine counts that says nothing more: its trainer may have a long job. And when it is forgotten."""


class Trainer(Record):
    """A machine with a trainer, as it was when that last had no job; what could not be found out is none."""

    __tablename__ = "trainers"

    machine: Mapped[str] = mapped_column(primary_key=True)
    threads: Mapped[int]
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    disk_bytes: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[datetime]


@dataclass(frozen=True)
class Capacity:
    """What a machine has: threads, all memory, free scratch space; None is not known."""

    threads: int
    memory_bytes: int | None
    disk_bytes: int | None


def announce(session: Session, machine: str, capacity: Capacity) -> None:
    """Write down what a machine has, and forget those that have long said nothing."""
    serialise(session, "trainers")
    moment = now(session)
    session.merge(Trainer(machine=machine, seen_at=moment, **vars(capacity)))
    session.execute(delete(Trainer).where(Trainer.seen_at < moment - timedelta(days=KEPT_DAYS)))


def largest(session: Session) -> Capacity | None:
    """The most that any machine has of each; None if none is known. One that does not know is without a limit."""
    recent = Trainer.seen_at >= now(session) - timedelta(days=KNOWN_DAYS)
    found = session.execute(
        select(
            func.max(Trainer.threads),
            func.max(Trainer.memory_bytes),
            func.max(Trainer.disk_bytes),
            func.count() - func.count(Trainer.memory_bytes),
            func.count() - func.count(Trainer.disk_bytes),
        ).where(recent)
    ).one()
    threads, memory_bytes, disk_bytes, of_any_memory, of_any_disk = found
    if threads is None:
        return None
    return Capacity(threads, None if of_any_memory else memory_bytes, None if of_any_disk else disk_bytes)
