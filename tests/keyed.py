"""Keys for tests, made as the command line makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.access import keys
from app.core.database import Database


def make_key(database: Database, scope: str = "read", grants: Sequence[str] | None = None, **said: Any) -> str:
    """What the caller sends."""
    with database.transaction() as session:
        return keys.create(session, keys.secret_of(session, ""), keys.Wish("tests", scope, grants, **said))[1]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
