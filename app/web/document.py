"""The OpenAPI document: what the framework makes of the routes, mended where generators of clients stumble."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.core import errors
from app.web.later import LaterRoutes
from app.web.problems import PROBLEM_CONTENT, Problem, problem_responses
from app.web.scopes import SCHEMES

OF_KEYS = (errors.KeyRequired, errors.KeyInvalid, errors.NotPermitted, errors.RateExceeded)
"""What whoever needs a key may be refused for before a route is asked."""
PROBLEM = "application/problem+json"
BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


class Document:
    """Of the routes that every application of a process has: made when it is first asked for, once.

    Two threads at it disturb each other.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._document: dict[str, Any] | None = None

    def install(self, app: FastAPI, later: LaterRoutes) -> None:
        def openapi() -> dict[str, Any]:
            later.add()
            with self._lock:
                self._document = self._document or _made(app)
            app.openapi_schema = self._document
            return self._document

        app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _made(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document["components"]["schemas"]
    document["components"]["securitySchemes"] = SCHEMES
    schemas["Problem"] = Problem.model_json_schema()
    for operations in document["paths"].values():
        for operation in operations.values():
            _tell_problems(operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        _drop_defaults_of_models(schema)
    for each in list(_objects(document)):
        _require_what_tells_apart(each, schemas)
        _say_whole_bounds(each)
        if each.get("in") in {"header", "query"} and "schema" in each:
            _drop_null(each["schema"])
    return document


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _objects(each)


def _require_what_tells_apart(node: dict[str, Any], schemas: dict[str, Any]) -> None:
    """A member by which schemas are told apart must be there, though its value is the default."""
    names = [each["$ref"].rpartition("/")[2] for each in node.get("oneOf", ()) if "$ref" in each]
    by = node.get("discriminator", {}).get("propertyName")
    for schema in (schemas[name] for name in names):
        required = schema.setdefault("required", [])
        constants = [member for member, said in schema.get("properties", {}).items() if "const" in said]
        required += [member for member in constants if by in {None, member} and member not in required]


def _say_whole_bounds(schema: dict[str, Any]) -> None:
    """The framework writes them as floats."""
    if schema.get("type") == "integer":
        schema.update({name: int(schema[name]) for name in BOUNDS & schema.keys()})


def _drop_null(schema: dict[str, Any]) -> None:
    """A header or a part of a query is left out or is a text; it is never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0] | schema)


def _tell_problems(operation: dict[str, Any]) -> None:
    """Put our problems in the place of the framework's validation errors."""
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        responses["422"] = {"description": "Invalid request", "content": PROBLEM_CONTENT}
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        responses["413"] = {"description": "The body is too large", "content": PROBLEM_CONTENT}
    if operation.get("security"):
        for status, described in problem_responses(*OF_KEYS).items():
            _add(responses.setdefault(str(status), {}), described)


def _add(response: dict[str, Any], described: dict[str, Any]) -> None:
    """Tell further problems of a status; those that it has already stay."""
    said = response.setdefault("content", {}).setdefault(PROBLEM, {"schema": described["content"][PROBLEM]["schema"]})
    examples = said.get("examples", {})
    new = {name: value for name, value in described["content"][PROBLEM]["examples"].items() if name not in examples}
    said["examples"] = examples | new
    told = response.get("description")
    response["description"] = (
        f"{told}; {described['description']}" if told and new else told or described["description"]
    )


def _drop_defaults_of_models(schema: dict[str, Any]) -> None:
    """A model's own members have these defaults already; openapi-python-client drops what it cannot write twice."""
    for member in schema.get("properties", {}).values():
        if isinstance(member.get("default"), dict):
            del member["default"]
