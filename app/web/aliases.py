"""What routes of aliases and versions share: revisions in headers, and serving at once what was changed."""

from __future__ import annotations

import contextlib
from typing import Any

from app.core.catalog import Revision
from app.core.errors import DatabaseUnavailable, InvalidRequest
from app.core.records import Alias
from app.serving.registry import Registry

IF_MATCH: dict[str, Any] = {"pattern": r'^\s*(\*|"?[0-9]{1,9}"?)\s*$'}
"""What the document says of the header; `expected` reads it."""


def etag_of(alias: Alias) -> str:
    return f'"{alias.revision}"'


def expected(if_match: str | None) -> int | Revision | None:
    """The revision that a client has seen; None if it says nothing."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return Revision.ANY
    tag = if_match.strip().strip('"')
    if not (tag.isascii() and tag.isdecimal() and len(tag) < 10):
        raise InvalidRequest('If-Match must be the ETag of the alias, such as "3", or *.', if_match=if_match[:100])
    return int(tag)


def serve_now(registry: Registry) -> None:
    """Serve what there is now; the poller would see it too, a moment later."""
    with contextlib.suppress(DatabaseUnavailable):
        registry.refresh()
