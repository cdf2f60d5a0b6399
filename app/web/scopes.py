"""What a key must allow for a route: said where the route is made, told in the OpenAPI document, checked by `keys`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.access import Scope

SCHEME = "key"
SCHEMES = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of this service (`wordkin keys create`). The scopes `read`, `train` and `admin` each "
        "have those before them. Not needed while there is no key.",
    }
}
"""What the document says of keys."""


def _needing(scope: Scope) -> dict[str, Any]:
    return {"security": [{SCHEME: [scope.name.lower()]}]}


OPEN: dict[str, Any] = {"security": []}
READ = _needing(Scope.READ)
TRAIN = _needing(Scope.TRAIN)
ADMIN = _needing(Scope.ADMIN)
"""A route's `openapi_extra`."""


def scope_of(extra: Mapping[str, Any] | None) -> Scope | None:
    """What a route says that it needs; None if it says nothing, so that it is closed."""
    if extra is None or "security" not in extra:
        return None
    needed = [Scope[name.upper()] for each in extra["security"] for name in each[SCHEME]]
    return max(needed, default=Scope.NONE)
