"""Messages for other services, written in the transaction that makes them true; whoever sends them does it later."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import now
from app.core.records import Job, Record

MessageType = Literal[
    "job.queued",
    "job.running",
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "version.published",
    "alias.moved",
]
TYPES: tuple[MessageType, ...] = get_args(MessageType)
PROBLEM_MEMBERS = ("type", "title", "detail")


class Webhook(Record):
    """Where messages are sent; one process at a time sends to it. Its secret is made from its id, see `secret_of`."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    types: Mapped[list[str]] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class Delivery(Record):
    """One message for one webhook. Without `next_at` it is not sent any more: it was delivered, or given up."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_next_at", "next_at"),
        Index("ix_webhook_deliveries_webhook_id_created_at", "webhook_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    type: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    n_attempts: Mapped[int]
    next_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


def announce(session: Session, message_type: str, data: Mapping[str, Any]) -> None:
    """Have every webhook told that wants this type."""
    webhooks = session.scalars(select(Webhook).where(Webhook.disabled_at.is_(None)))
    wanting = [webhook.id for webhook in webhooks if message_type in webhook.types]
    if not wanting:
        return
    moment = now(session)
    body = body_of(message_type, moment, data)
    session.add_all(
        Delivery(
            id=new_id(),
            webhook_id=webhook_id,
            type=message_type,
            body=body,
            created_at=moment,
            n_attempts=0,
            next_at=moment,
        )
        for webhook_id in wanting
    )


def announce_job(session: Session, job: Job) -> None:
    """Have it told that a job has a new state."""
    version = (job.result or {}).get("version")
    problem = {name: job.error.get(name) for name in PROBLEM_MEMBERS} if job.error else None
    told = {"id": job.id, "kind": job.kind, "model": job.model, "state": job.state}
    announce(session, f"job.{job.state}", {"job": told | {"version": version, "error": problem}})


def body_of(message_type: str, moment: datetime, data: Mapping[str, Any]) -> str:
    return json.dumps({"type": message_type, "timestamp": moment.isoformat(), "data": data}, ensure_ascii=False)


def new_id() -> str:
    return f"msg_{secrets.token_hex(12)}"
