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
from app.core.access.quota import Quota
from app.core.database import now
from app.core.errors import KeyNotFound
from app.core.records import ApiKey, Installation
from app.core.settings import Settings

PREFIX = "wk"
"""By which people, and programs that look for secrets, know what it is."""
TOKEN = re.compile(rb"wk_[0-9a-f]{16}_[0-9a-f]{64}")
"""The id, and 256 random bits: a fast digest of these is as good as a slow one."""
ID = slice(3, 19)
"""Where a token has its id."""


@dataclass(frozen=True)
class Wish:
    """What a new key shall be; no `grants` are all names, no `days` all time, no limits those of the settings."""

    name: str
    scope: str
    grants: Sequence[str] | None = None
    days: float | None = None
    max_bytes: int | None = None
    max_jobs: int | None = None
    max_cost: int | None = None
    owner: str | None = None


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
        owner=wish.owner or key_id,
        max_bytes=wish.max_bytes,
        max_jobs=wish.max_jobs,
        max_cost=wish.max_cost,
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
    """Make a key that allows the same and owns the same; the old one ends after so many hours, unless it ends before.

    Raises
    ------
    KeyNotFound
        There is none of this id, or it has ended.
    """
    old, moment = get(session, key_id), now(session)
    if is_over(old, moment):
        raise KeyNotFound(f"The key {key_id!r} has ended; make a new one.", key=key_id)
    days = None if old.expires_at is None else (old.expires_at - moment) / timedelta(days=1)
    limits = {name: getattr(old, name) for name in ("max_bytes", "max_jobs", "max_cost")}
    made = create(session, secret, Wish(old.name, old.scope, old.grants, days, owner=old.owner, **limits))
    ends_at = moment + timedelta(hours=overlap_hours)
    old.expires_at = min(old.expires_at or ends_at, ends_at)
    session.flush()
    return made


def is_over(key: ApiKey, moment: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= moment)


def exist(session: Session) -> bool:
    """Whether there has ever been a key: from then on nobody is let in without one."""
    return session.scalar(select(ApiKey.id).limit(1)) is not None


def valid(session: Session, settings: Settings) -> dict[bytes, tuple[Caller, bytes]]:
    """Callers and digests by the ids of keys that have not ended."""
    nobody = Quota.of_nobody(settings)
    expires = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now(session))
    found = session.scalars(select(ApiKey).where(and_(ApiKey.revoked_at.is_(None), expires)))
    quotas = ((key, nobody.of_key(key, settings)) for key in found)
    return {key.id.encode(): (_caller(key, quota), bytes.fromhex(key.digest)) for key, quota in quotas}


def note_use(session: Session, used: Mapping[str, datetime]) -> None:
    """Write when keys were last used, unless another process has written a later time."""
    for key_id, moment in sorted(used.items()):
        is_later = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < moment)
        session.execute(update(ApiKey).where(ApiKey.id == key_id, is_later).values(last_used_at=moment))


def _caller(key: ApiKey, quota: Quota) -> Caller:
    return Caller(
        Scope[key.scope.upper()],
        key.grants,
        key_id=key.id,
        name=key.name,
        quota=quota,
        ends_at=key.expires_at.timestamp() if key.expires_at else None,
    )
