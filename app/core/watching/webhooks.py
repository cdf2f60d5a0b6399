"""Webhooks and what is sent to them: who sends holds a lease of the webhook, and what fails is tried again for days."""

from __future__ import annotations

import base64
import hmac
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app.core.database import Database, now
from app.core.errors import WebhookNotFound, WebhookRefused
from app.core.watching.outbox import Delivery, Webhook

MAX_WEBHOOKS = 20
FIRST_SECONDS, FACTOR, LONGEST_SECONDS = 5.0, 4.0, 6 * 3600.0
"""Until the second attempt; each further one waits so many times longer, at most the last; chance takes up to half."""
RETRY_DAYS = 3.0
"""A message is tried again for so long; a webhook that has failed for so long is disabled."""
KEPT_DAYS = 7.0
"""How long it can be seen what was sent."""
LEASE_SECONDS = 120.0
GONE = 410
"""The status by which a receiver says that it wants no more."""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt: the status of the answer if there was one, and what can be told of it."""

    status: int | None
    told: str

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Message:
    """What is to be sent now, and the lease by which nobody else does."""

    webhook_id: str
    url: str
    token: str
    id: str
    body: str


def secret_of(key_secret: bytes, webhook_id: str) -> str:
    """What messages to a webhook are signed with: known to who has the secret of the keys, and stored nowhere."""
    return f"whsec_{base64.b64encode(hmac.digest(key_secret, b'webhook ' + webhook_id.encode(), 'sha256')).decode()}"


def create(session: Session, url: str, types: Sequence[str]) -> Webhook:
    """Raise `WebhookRefused` if there are enough."""
    if len(listed(session)) >= MAX_WEBHOOKS:
        raise WebhookRefused(f"There are {MAX_WEBHOOKS} webhooks, as many as may; delete one first.")
    made = Webhook(id=f"wh_{secrets.token_hex(16)}", url=url, types=list(types), created_at=now(session))
    session.add(made)
    session.flush()
    return made


def listed(session: Session) -> Sequence[Webhook]:
    return session.scalars(select(Webhook).order_by(Webhook.created_at, Webhook.id)).all()


def get(session: Session, webhook_id: str) -> Webhook:
    """Read a webhook or raise `WebhookNotFound`."""
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise WebhookNotFound(f"There is no webhook {webhook_id!r}.", webhook=webhook_id)
    return found


def enable(session: Session, webhook_id: str) -> None:
    """A webhook that answers is none that fails."""
    values = {"failing_since": None, "disabled_at": None}
    session.execute(update(Webhook).where(Webhook.id == webhook_id).values(values))


def deliveries(session: Session, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
    """What was and will be sent, the newest first; raises `WebhookNotFound`."""
    get(session, webhook_id)
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    return session.scalars(query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit)).all()


def claim(database: Database) -> Message | None:
    """Take the oldest message that is due, of a webhook to which nobody else sends now."""
    with database.reading() as session:
        if session.scalar(select(Delivery.id).where(Delivery.next_at <= now(session)).limit(1)) is None:
            return None
    with database.transaction() as session:
        moment = now(session)
        due = and_(Delivery.webhook_id == Webhook.id, Delivery.next_at <= moment)
        webhook = session.scalar(
            select(Webhook)
            .where(_is_free(moment), Webhook.disabled_at.is_(None), select(Delivery.id).where(due).exists())
            .order_by(select(Delivery.next_at).where(due).order_by(Delivery.next_at).limit(1).scalar_subquery())
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if webhook is None:
            return None
        oldest = select(Delivery).where(Delivery.webhook_id == webhook.id, Delivery.next_at <= moment)
        message = session.scalars(oldest.order_by(Delivery.created_at, Delivery.id).limit(1)).first()
        if message is None:
            return None
        webhook.lease_token = secrets.token_hex(16)
        webhook.lease_expires_at = moment + timedelta(seconds=LEASE_SECONDS)
        message.n_attempts += 1
        message.next_at = moment + _delay(message.n_attempts)
        return Message(webhook.id, webhook.url, webhook.lease_token, message.id, message.body)


def settle(database: Database, sent: Message, outcome: Outcome) -> None:
    """Write down what became of an attempt; who has lost the lease leaves that to the next one."""
    with database.transaction() as session:
        held = select(Webhook).where(Webhook.id == sent.webhook_id, Webhook.lease_token == sent.token)
        webhook = session.scalar(held.with_for_update())
        message = session.get(Delivery, sent.id)
        if webhook is None or message is None:
            return
        moment = now(session)
        webhook.lease_token = webhook.lease_expires_at = None
        message.outcome = outcome.told
        if outcome.is_delivered:
            message.delivered_at, message.next_at = moment, None
            webhook.failing_since = None
            return
        webhook.failing_since = webhook.failing_since or moment
        long_ago = moment - timedelta(days=RETRY_DAYS)
        if message.created_at < long_ago:
            message.next_at = None
        if outcome.status == GONE or webhook.failing_since < long_ago:
            webhook.disabled_at = moment
            session.flush()
            session.execute(update(Delivery).where(Delivery.webhook_id == webhook.id).values(next_at=None))


def forget(session: Session) -> None:
    """Delete messages of long ago, whatever has become of them."""
    session.execute(delete(Delivery).where(Delivery.created_at < now(session) - timedelta(days=KEPT_DAYS)))


def _is_free(moment: datetime) -> ColumnElement[bool]:
    """No lease, one that has run out, or one of before the clock was set back."""
    latest = moment + timedelta(seconds=LEASE_SECONDS)
    expires = Webhook.lease_expires_at
    return or_(Webhook.lease_token.is_(None), expires < moment, expires > latest)


def _delay(n_attempts: int) -> timedelta:
    seconds = min(FIRST_SECONDS * FACTOR ** (n_attempts - 1), LONGEST_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 (no secret: it spreads attempts)
