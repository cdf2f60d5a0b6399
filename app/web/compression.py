"""Long answers are compressed for those who take that."""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

MIN_BYTES = 8192
"""Ten neighbours have some 400 bytes, a hundred some 4,000: these are never worth the time."""
LEVEL = 5
EXCLUDED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream", "application/x-tar")
"""Numbers in binary hardly become shorter."""


def compressed(app: ASGIApp) -> ASGIApp:
    """The same answers; those of `MIN_BYTES` and more with gzip, if the request takes it. Event streams stay."""
    return GZipMiddleware(app, minimum_size=MIN_BYTES, compresslevel=LEVEL, exclude_content_types=EXCLUDED)


class Compress:
    """Compresses what is long, but for GET on some paths, whose routes do so themselves.

    To be looked at costs a short answer 30 of its 150 microseconds.
    """

    def __init__(self, app: ASGIApp, *, unless: Collection[str]) -> None:
        self._app = app
        self._compressed = compressed(app)
        self._unless = unless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_theirs = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self._unless
        await (self._app if is_theirs else self._compressed)(scope, receive, send)
