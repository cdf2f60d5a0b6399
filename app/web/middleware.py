"""Around every request: an id, one log line, metrics. Plain ASGI, because the query path is short."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Collection, Mapping
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from anyio import CancelScope
from opentelemetry import trace
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from app.web.problems import plain, unexpected

REQUEST_ID = "X-Request-Id"
SANE_REQUEST_ID = re.compile(r"[\w.:/+=@-]{1,64}", re.ASCII)
"""What is taken over from a client: it stands in log lines and in answers."""
MAX_KNOWN_HOSTS = 64

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are counted by name: clients may send any other word."""

REQUESTS = Counter("wordkin_requests_total", "Requests by route and status", ["method", "route", "status"])
SECONDS = Histogram(
    "wordkin_request_seconds",
    "Time to the first byte of the answer",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)

logger = structlog.get_logger()


class Observe:
    """Names each request, measures it and logs what is not a quick success.

    The name stands in every line that is logged on behalf of the request, and in the problem that answers it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = scope["request_id"] = _request_id(Headers(scope=scope).get(REQUEST_ID))
        is_started = False

        async def send_named(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if scope["app"].state.is_leaving:  # or a request would come in the moment in which we hang up
                    headers["Connection"] = "close"
                _record(scope, message["status"], time.perf_counter() - started)
            await send(message)

        named = bind_contextvars(request_id=request_id)
        trace.get_current_span().set_attribute("wordkin.request_id", request_id)  # nowhere, unless telemetry is on
        try:
            await self._app(scope, receive, send_named)
        except asyncio.CancelledError:  # the process ends, and has waited for as long as it does
            if is_started or not scope["app"].state.is_leaving:
                raise
            told = "The process ended while it worked on this; look whether it was done, or send it again."
            await plain(HTTPStatus.SERVICE_UNAVAILABLE, scope["path"], told)(scope, receive, send_named)
        except Exception as error:  # nothing of ours lies further out: here it gets its id, its line and its count
            logger.error("request failed", action="request_failed", path=scope["path"], exc_info=error)
            if is_started:
                raise
            await unexpected(scope["path"])(scope, receive, send_named)
        finally:
            reset_contextvars(**named)


class CheckHost:
    """Refuses requests for other names than the service's own: a page elsewhere may let its name lead to loopback."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = hosts
        self._known: dict[bytes, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._hosts is None or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if self._known.get(named) or self._is_ours(named):
            await self._app(scope, receive, send)
            return
        told = (
            f"This service is not {named[:100].decode('latin-1')!r}; WORDKIN_ALLOWED_HOSTS says what it may be called."
        )
        await plain(HTTPStatus.MISDIRECTED_REQUEST, scope["path"], told)(scope, receive, send)

    def _is_ours(self, named: bytes) -> bool:
        """Read a name once; only right ones are remembered, and few."""
        try:
            host = urlsplit(f"//{named.decode('latin-1')}").hostname or ""
        except ValueError:
            return False
        is_ours = host in (self._hosts or ())
        if is_ours and len(self._known) < MAX_KNOWN_HOSTS:
            self._known[named] = True
        return is_ours


class LimitBody:
    """Refuses bodies above a limit, however they are sent; some paths have another one.

    Corpora and files are streamed and limited where they are received.

    The framework's limit answers in plain text; raised while the body is read, ours becomes a problem like any other.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, others: Mapping[str, int], unless_below: tuple[str, ...]
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._others = others
        self._unless_below = unless_below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._unless_below):
            await self._app(scope, receive, send)
            return
        max_bytes = self._others.get(scope["path"], self._max_bytes)
        n_bytes = 0

        async def receive_limited() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > max_bytes:
                raise HTTPException(413, f"the body has more than {max_bytes} bytes, the limit here")
            return message

        await self._app(scope, receive_limited, send)


class AnswerHead:
    """Answers HEAD as GET, without the body; an answer whose head is told is not worked on any more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = dict(scope, method="GET")

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["route"] = asked.get("route")  # requests are counted by it
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                answering.cancel()

        with CancelScope() as answering:
            await self._app(asked, receive, send_head)


def _request_id(given: str | None) -> str:
    return given if given and SANE_REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


@lru_cache(maxsize=1024)
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(method, route)


def _record(scope: Scope, status: int, seconds: float) -> None:
    # The route's pattern, never the path: a label for every word would fill the memory
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in METHODS else "other"
    requests, durations = _metrics(method, route, status)
    requests.inc()
    durations.observe(seconds)
    log = logger.warning if status >= 500 else logger.debug
    log(
        "request",
        action="request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 2),
    )
