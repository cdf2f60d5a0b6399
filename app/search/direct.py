"""A short way from a right request to its endpoint.

FastAPI's own way through parameters and dependencies takes several times as long as most answers here. Its work is one
call of pydantic at heart, so this route makes that call and hands the result to the endpoint. Whatever does not
validate, or comes by another method, goes FastAPI's way and gets its error; the OpenAPI document is FastAPI's in any
case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from app.serving.asking import Target
from app.web.compression import MIN_BYTES, compressed
from app.web.dependencies import get_registry
from app.web.validation import refuse_repeated


class DirectRoute(APIRoute):
    """For endpoints of the form ``(request, registry, asked: Annotated[<a Target>, Query()]) -> Response``.

    The short way asks no dependency but the registry. Any other, such as one that asks who is there, would be skipped,
    so that a route with one is refused when it is made.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], *, asked: type[Target], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._asked = asked
        fields = asked.model_fields.items()
        self._lists = {name for name, field in fields if get_origin(field.annotation) in {list, tuple}}
        others = [depends.call for depends in self.dependant.dependencies if depends.call is not get_registry]
        if others:
            raise TypeError(f"{path} would skip its dependencies {others}")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._read(scope["query_string"]) if scope["method"] == "GET" else None
        if asked is None:
            await refuse_repeated(Request(scope))
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(request=Request(scope), registry=scope["app"].state.registry, asked=asked)
        is_long = len(response.body) >= MIN_BYTES
        await (compressed(response) if is_long else response)(scope, receive, send)

    def _read(self, query_string: bytes) -> Target | None:
        """The parameters, if they are right and each is given once that is no list."""
        pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        parameters: dict[str, Any] = dict(pairs)
        lists = {name: [value for key, value in pairs if key == name] for name in self._lists & parameters.keys()}
        if len(pairs) - len(parameters) != sum(map(len, lists.values())) - len(lists):
            return None
        try:
            return self._asked.model_validate(parameters | lists)
        except ValidationError:
            return None
