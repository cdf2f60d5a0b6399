"""Answers as bytes: the same question to the same version gives the same ones, alone or in a batch."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json

from app.core.names import pinned_number
from app.serving.asking import Target
from app.serving.version import ServedVersion
from app.web.conditions import matches

IMMUTABLE = "public, max-age=31536000, immutable"
IMMUTABLE_WHILE_DEFAULT = "public, max-age=60, immutable"
"""Pinned to a number, but of whichever model is the default: that is a setting, and settings change."""
REVALIDATE = "no-cache"


def as_json(body: dict[str, Any]) -> bytes:
    return to_json(body)  # several times faster than the standard library's


def respond(request: Request, version: ServedVersion, asked: Target, body: dict[str, Any]) -> Response:
    """Answer one question with `body`, model and version before it, or 304 if the client has these very bytes."""
    content = as_json({"model": version.model, "version": version.number, **body})
    etag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": cache_control(asked)}
    known = request.headers.get("if-none-match")
    if known is not None and matches(known, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def answer_batch(version: ServedVersion, items: Iterable[bytes]) -> Response:
    """Items that are encoded already, so that no single step of this is long."""
    head = as_json({"model": version.model, "version": version.number})[:-1]
    return Response(head + b',"results":[' + b",".join(items) + b"]}", media_type="application/json")


def cache_control(asked: Target) -> str:
    """For ever if the request names a number, else to be revalidated: an alias may move at any time."""
    if pinned_number(asked.version) is None:
        return REVALIDATE
    return IMMUTABLE if asked.model else IMMUTABLE_WHILE_DEFAULT
