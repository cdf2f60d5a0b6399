"""What validation finds, as the user sees it: places as they were written, and what was probably meant."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from app.core.errors import InvalidRequest
from app.core.hyperparameters.names import OTHER_NAMES, hint, meant
from app.serving import asking

MAX_ISSUES = 100
"""Of a request that is wrong in more places the first ones are told."""
MAX_SHOWN = 200
"""Characters of a value or a name."""
ALL_OTHER_NAMES = {**OTHER_NAMES, **asking.OTHER_NAMES}

Json = dict[str, Any]
Issue = Mapping[str, Any]
Place = tuple[str | int, ...]


async def refuse_repeated(request: Request) -> None:
    """Raise `InvalidRequest` for a parameter that is given several times where one value is meant.

    The framework takes the last one in silence.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    if counts.total() == len(counts):
        return
    told = _operation(await _document(request), request).get("parameters", [])
    lists = {parameter["name"] for parameter in told if parameter["schema"].get("type") == "array"}
    for name, n in counts.items():
        if n > 1 and name not in lists:
            raise InvalidRequest(f"{_short(name)} is given {n} times; give it once.")


async def refuse_unknown(request: Request) -> None:
    """Raise `InvalidRequest` for a parameter that the route does not have; the framework passes over it in silence."""
    given = request.query_params
    names = set(_parameters(request.scope["route"].dependant)) if given else set()
    found = [
        {"type": "extra_forbidden", "loc": ("query", name), "msg": "", "input": given[name]}
        for name in given
        if name not in names
    ]
    if found:
        raise await invalid_request(request, found, None)


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route and of what it depends on."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield field.alias
    for other in dependant.dependencies:
        yield from _parameters(other)


async def invalid_request(
    request: Request, found: Sequence[Issue], body: Any, limit: int = MAX_ISSUES
) -> InvalidRequest:
    """What pydantic has found in a request with this body, at most `limit` issues of it."""
    document = await _document(request)
    issues: list[Json] = []
    listed: set[Place] = set()
    for issue in found[:limit]:
        place = _place(issue, body)
        message = _message(issue)
        if issue["type"] == "extra_forbidden":
            names = _names(document, request, place[:-1], body)
            message = _unknown(str(place[-1]), names, is_listed=place[:-1] in listed)
            listed.add(place[:-1])
        location = ".".join(_short(str(part)) for part in place)
        issues.append({"location": location, "message": message, "value": _shown(issue.get("input"))})
    if len(found) > limit:
        where = str(found[limit]["loc"][0])
        issues.append({"location": where, "message": f"and {len(found) - limit} more", "value": None})
    detail = "; ".join(f"{issue['location']}: {issue['message']}" for issue in issues)
    return InvalidRequest(detail, errors=issues)


def _place(issue: Issue, body: Any) -> Place:
    """Where the issue is, without pydantic's names for the members of unions, which nobody has written."""
    where, *parts = issue["loc"]
    if where != "body":
        return (where, *parts)
    place, here = [where], body
    for n_left, part in zip(range(len(parts))[::-1], parts, strict=True):
        if part in here if isinstance(here, dict) else isinstance(here, list) and part in range(len(here)):
            here = here[part]
            place.append(part)
        elif n_left == 0 and issue["type"] in {"missing", "extra_forbidden"}:
            place.append(part)
    if issue["type"].startswith("union_tag"):
        place.append(issue["ctx"]["discriminator"].strip("'_()"))
    return tuple(place)


def _message(issue: Issue) -> str:
    context = issue.get("ctx", {})
    match issue["type"]:
        case "json_invalid":
            return f"This is not JSON: {context['error']} at character {issue['loc'][-1]}"
        case "union_tag_invalid":
            return f"This is one of {context['expected_tags']}{hint(issue)}"
        case "union_tag_not_found":
            return "Field required"
        case "model_type" | "model_attributes_type":
            return "This is a JSON object"
    return str(issue["msg"]).removeprefix("Value error, ") + hint(issue)


def _unknown(name: str, names: Sequence[str], *, is_listed: bool) -> str:
    near = meant(name, names, ALL_OTHER_NAMES)
    told = f"There is no such name. Did you mean {near!r}?" if near else "There is no such name."
    return told if is_listed or not names else f"{told} There are: {', '.join(names)}"


async def _document(request: Request) -> Json:
    """Of the API; making it takes long enough to be done beside the event loop."""
    document: Json = request.app.openapi_schema or await asyncio.to_thread(request.app.openapi)
    return document


def _operation(document: Json, request: Request) -> Json:
    """What the document has about the route of this request; nothing about a route that it leaves out."""
    path = getattr(request.scope.get("route"), "path_format", "")
    operation: Json = document["paths"].get(path, {}).get(request.method.lower(), {})
    return operation


def _names(document: Json, request: Request, place: Place, body: Any) -> list[str]:
    """What the document has at this place of a request."""
    operation = _operation(document, request)
    where, *parts = place
    if where != "body":
        return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == where]
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    objects = _objects(document, schema, parts, body)
    return list(dict.fromkeys(name for found in objects for name in found.get("properties", {})))


def _objects(document: Json, schema: Json, parts: Sequence[str | int], value: Any) -> Iterator[Json]:
    """The schemas at a place below one; several if the value may be any of several."""
    alternatives = schema.get("oneOf", schema.get("anyOf", []))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _objects(document, document["components"]["schemas"][name], parts, value)
    elif alternatives:
        tags = schema.get("discriminator", {"propertyName": "", "mapping": {}})
        chosen = tags["mapping"].get(str(value.get(tags["propertyName"]))) if isinstance(value, dict) else None
        for alternative in [{"$ref": chosen}] if chosen else alternatives:
            found = list(_objects(document, alternative, [], value))
            if not found or any(_may_be(schema, value) for schema in found):
                yield from _objects(document, alternative, parts, value)
    elif not parts:
        yield schema
    else:
        inner = schema.get("items") if isinstance(parts[0], int) else schema.get("properties", {}).get(parts[0])
        if inner:
            yield from _objects(document, inner, parts[1:], value[parts[0]])


def _may_be(schema: Json, value: Any) -> bool:
    """Whether the value has nothing else where the schema has constants."""
    fixed = {name: found["const"] for name, found in schema.get("properties", {}).items() if "const" in found}
    return not isinstance(value, dict) or all(value.get(name, constant) == constant for name, constant in fixed.items())


def _shown(value: object) -> object:
    """An offending value, short enough to send back."""
    if value is None or isinstance(value, int | bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _short(value if isinstance(value, str) else repr(value))


def _short(text: str) -> str:
    """The beginning of a text, without halves of characters, which JSON may hold and UTF-8 may not."""
    beginning = text[:MAX_SHOWN].encode(errors="replace").decode()
    return beginning if len(text) <= MAX_SHOWN else f"{beginning}…"
