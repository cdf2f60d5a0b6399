"""Keys as rows: a key is shown once, when it is made; what stays is a digest of it."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from app.core.access import Caller, Scope
from app.core.database import now
from app.core.errors import KeyNotFound
from app.core.records import ApiKey, Installation

PREFIX = "wk"
"""By which people, and programs that look for secrets, know what it is."""
TOKEN = re.compile(rb"wk_[0-9a-f]{16}_[0-9a-f]{64}")
"""The id, and 256 random bits: a fast digest of these is as good as a slow one."""
ID = slice(3, 19)
"""Where a token has its id."""


@dataclass(frozen=True)
class Wish:
    """What a new key shall be; no `grants` are all names, no `days` all time."""

    name: str
    scope: str
    grants: Sequence[str] | None = None
    days: float | None = None


def digest(secret: bytes, token: bytes) -> bytes:
    return hmac.digest(secret, token, "sha256")


def secret_of(session: Session, setting: str) -> bytes:
    """What digests are made with: the setting, or else what this database has made up for itself."""
    return (setting or session.scalars(select(Installation.key_secret)).one() or "").encode()


def create(session: Session, secret: bytes, wish: Wish) -> tuple[ApiKey, str]:
    """Make a key; the text is what the caller sends, and is not kept."""
    moment = now(session)
    key_id = secrets.token_hex(8)
    token = f"{PREFIX}_{key_id}_{secrets.token_hex(32)}"
    made = ApiKey(
        id=key_id,
        name=wish.name,
        digest=digest(secret, token.encode()).hex(),
        scope=wish.scope,
        grants=None if wish.grants is None else list(wish.grants),
        created_at=moment,
        expires_at=None if wish.days is None else moment + timedelta(days=wish.days),
    )
    session.add(made)
    session.flush()
    return made, token


def listed(session: Session) -> Sequence[ApiKey]:
    """All keys, the newest first, also those that have ended."""
    return session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)).all()


def get(session: Session, key_id: str) -> ApiKey:
    """Read a key, held until the transaction ends, or raise `KeyNotFound`."""
    found = session.scalar(select(ApiKey).where(ApiKey.id == key_id).with_for_update())
    if found is None:
        raise KeyNotFound(f"There is no key {key_id!r}.", key=key_id)
    return found


def revoke(session: Session, key_id: str) -> ApiKey:
    """End a key; ending it twice is ending it once. Raises `KeyNotFound`."""
    found = get(session, key_id)
    found.revoked_at = found.revoked_at or now(session)
    session.flush()
    return found


def rotate(session: Session, secret: bytes, key_id: str, *, overlap_hours: float) -> tuple[ApiKey, str]:
    """Make a key that allows the same; the old one ends after so many hours, unless it ends before.

    Raises
    ------
    KeyNotFound
        There is none of this id, or it has ended.
    """
    old, moment = get(session, key_id), now(session)
    if is_over(old, moment):
        raise KeyNotFound(f"The key {key_id!r} has ended; make a new one.", key=key_id)
    days = None if old.expires_at is None else (old.expires_at - moment) / timedelta(days=1)
    made = create(session, secret, Wish(old.name, old.scope, old.grants, days))
    ends_at = moment + timedelta(hours=overlap_hours)
    old.expires_at = min(old.expires_at or ends_at, ends_at)
    session.flush()
    return made


def is_over(key: ApiKey, moment: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= moment)


def exist(session: Session) -> bool:
    """Whether there has ever been a key: from then on nobody is let in without one."""
    return session.scalar(select(ApiKey.id).limit(1)) is not None


def valid(session: Session) -> dict[bytes, tuple[Caller, bytes]]:
    """Callers and digests by the ids of keys that have not ended."""
    expires = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now(session))
    found = session.scalars(select(ApiKey).where(and_(ApiKey.revoked_at.is_(None), expires)))
    return {key.id.encode(): (_caller(key), bytes.fromhex(key.digest)) for key in found}


def note_use(session: Session, used: Mapping[str, datetime]) -> None:
    """Write when keys were last used, unless another process has written a later time."""
    for key_id, moment in sorted(used.items()):
        is_later = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < moment)
        session.execute(update(ApiKey).where(ApiKey.id == key_id, is_later).values(last_used_at=moment))


def _caller(key: ApiKey) -> Caller:
    ends_at = key.expires_at.timestamp() if key.expires_at else None
    return Caller(Scope[key.scope.upper()], key.grants, key_id=key.id, name=key.name, ends_at=ends_at)
