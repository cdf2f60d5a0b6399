"""Whether a request may go on: its route, its key and what that allows are looked at before anything is routed.

A route that does not say what it needs is as closed as one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from anyio import CancelScope
from fastapi import HTTPException, Request, Response
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import access
from app.core.access import NOBODY, Caller, audit
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, KeyInvalid, KeyRequired, NotPermitted, WordkinError
from app.serving.keyring import Keyring
from app.web import problems
from app.web.later import LaterRoutes
from app.web.scopes import scope_of

CHALLENGE = 'Bearer realm="wordkin"'

logger = structlog.get_logger()


@dataclass(frozen=True)
class Door:
    """A route as it is seen from outside."""

    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    needs: access.Scope


class Doors:
    """The routes that say what they need, in the order in which they are matched."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._doors: list[Door] = []
        for route in iter_route_contexts(routes):
            needs = scope_of(getattr(route.original_route, "openapi_extra", None))
            if needs is not None and route.path and route.methods:
                self._doors.append(Door(route.path, route.path_regex, frozenset(route.methods), needs))
        fixed = [(door.path, method) for door in self._doors if "{" not in door.path for method in door.methods]
        self._fixed = {(path, method): self._match(path, method) for path, method in fixed}

    def find(self, path: str, method: str) -> Door | None:
        return self._fixed.get((path, method)) or self._match(path, method)

    def are_at(self, path: str) -> bool:
        """Whether there is any for other methods."""
        return any(door.pattern.match(path) for door in self._doors)

    def _match(self, path: str, method: str) -> Door | None:
        return next((door for door in self._doors if method in door.methods and door.pattern.match(path)), None)


class CheckKey:
    """Lets through whom a route is open to; whatever is done within is done as that caller."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], later: LaterRoutes) -> None:
        self._app = app
        self._routes = routes
        self._later: LaterRoutes | None = later
        self._doors = Doors(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no other routes
        path = get_route_path(scope)
        door = self._doors.find(path, scope["method"])
        if door is None and self._later:
            self._doors, self._later = await run_in_threadpool(self._doors_of_all, self._later), None
            door = self._doors.find(path, scope["method"])
        if door is None:
            missing = HTTPStatus.METHOD_NOT_ALLOWED if self._doors.are_at(path) else HTTPStatus.NOT_FOUND
            answer = await problems.http_problem(Request(scope), HTTPException(missing))
            await answer(scope, receive, send)
            return
        scope["route"] = door  # requests are counted by its path, also those that are refused
        try:
            caller = _known(scope, door.needs) or await _found(scope, door.needs)
        except WordkinError as error:
            await _refusal(error, door, scope["path"])(scope, receive, send)
            return
        token = access.enter(caller)
        try:
            if caller.key_id is None:
                await self._app(scope, receive, send)
            elif scope["method"] == "GET" or door.needs <= access.Scope.READ:
                await self._app(scope, receive, _privately(send))
            else:
                await self._audited(caller, scope, receive, _privately(send))
        finally:
            access.leave(token)

    def _doors_of_all(self, later: LaterRoutes) -> Doors:
        """Not on the event loop: the framework works out all routes when it is first asked for them."""
        later.add()
        doors = Doors(self._routes)
        later.settle()
        return doors

    async def _audited(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        database: Database = scope["app"].state.database
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            entry_id = await run_in_threadpool(_begin, database, caller, scope)
        except WordkinError as error:
            await problems.respond(*problems.problem_of(error, scope["path"]))(scope, receive, send)
            return

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_seen)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(_end, database, entry_id, status)


def _authorizations(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"authorization"]


def _known(scope: Scope, needs: access.Scope) -> Caller | None:
    """Who asks, if they are known and may; on what is open, nobody if they are not known."""
    sent = _authorizations(scope)
    caller = scope["app"].state.keyring.known(sent[0] if len(sent) == 1 else None)
    if needs is access.Scope.NONE:
        return caller or NOBODY
    return caller if caller is not None and caller.scope >= needs else None


async def _found(scope: Scope, needs: access.Scope) -> Caller:
    """The same, or raise what is to be answered."""
    sent = _authorizations(scope)
    if len(sent) > 1:
        raise KeyInvalid("Send one Authorization header.")
    keyring: Keyring = scope["app"].state.keyring
    caller = await keyring.find(sent[0] if sent else None)
    if caller.scope < needs:
        logger.info("request refused", action="request_refused", key=caller.key_id, path=scope["path"])
        raise NotPermitted(
            f"This needs a key of the scope {needs.name.lower()!r}; this one has {caller.scope.name.lower()!r}.",
            scope=needs.name.lower(),
        )
    return caller


def _refusal(error: WordkinError, door: Door, path: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, KeyRequired):
        headers["WWW-Authenticate"] = CHALLENGE
    elif isinstance(error, KeyInvalid):
        headers["WWW-Authenticate"] = f'{CHALLENGE}, error="invalid_token"'
    elif isinstance(error, NotPermitted):
        needed = door.needs.name.lower()
        headers["WWW-Authenticate"] = f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
    return problems.respond(*problems.problem_of(error, path), headers)


def _privately(send: Send) -> Send:
    """Let no cache that others use keep an answer."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            said = [part.strip() for name, value in headers if name == b"cache-control" for part in value.split(b",")]
            kept = [b"private", *(part for part in said if part != b"public")]
            others = [header for header in headers if header[0] != b"cache-control"]
            message["headers"] = [*others, (b"cache-control", b", ".join(kept))]
        await send(message)

    return send_private


def _begin(database: Database, caller: Caller, scope: Scope) -> str:
    deed = audit.Deed(
        key_id=caller.key_id or "",
        key_name=caller.name or "",
        address=scope["client"][0] if scope.get("client") else None,
        method=scope["method"],
        path=scope["path"],
        request_id=scope.get("request_id"),
    )
    with database.transaction() as session:
        return audit.begin(session, deed)


def _end(database: Database, entry_id: str, status: int) -> None:
    try:
        with database.transaction() as session:
            audit.end(session, entry_id, status)
    except DatabaseUnavailable as error:
        logger.warning("audit not ended", action="audit_failed", entry=entry_id, status=status, reason=error.detail)
