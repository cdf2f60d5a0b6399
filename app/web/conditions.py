"""Conditions of requests."""

from __future__ import annotations

from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Header, Response
from pydantic import BaseModel

Described = TypeVar("Described", bound=BaseModel)
IfNoneMatch = Annotated[str | None, Header(description="the `ETag` of the answer that the client has")]
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has this answer already"}}


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the client has what the `ETag` names."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates


def unless_known(described: Described, if_none_match: str | None, response: Response) -> Described | Response:
    """Answer 304 if the client has this, else this with an `ETag` by which to ask for it again."""
    etag = f'"{blake2b(described.model_dump_json().encode(), digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and matches(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    response.headers.update(headers)
    return described
