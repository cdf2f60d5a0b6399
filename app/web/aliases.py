"""The revision of an alias in headers: its ETag, and the one that a client expects."""

from __future__ import annotations

from app.core.catalog import Revision
from app.core.errors import InvalidRequest
from app.core.records import Alias


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
