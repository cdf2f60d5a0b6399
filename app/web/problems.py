"""The one table: error class -> HTTP status. Answers, the OpenAPI document and the explanations are made from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match
from structlog.contextvars import get_contextvars

from app.core import errors
from app.core.errors import WordkinError
from app.web.scopes import OPEN
from app.web.validation import invalid_request

STATUS: dict[type[WordkinError], HTTPStatus] = {
    errors.CorpusNotFound: HTTPStatus.NOT_FOUND,
    errors.NewestRevision: HTTPStatus.CONFLICT,
    errors.CorpusInUse: HTTPStatus.CONFLICT,
    errors.FileNotFound: HTTPStatus.NOT_FOUND,
    errors.FileInUse: HTTPStatus.CONFLICT,
    errors.VectorsUnreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.EvaluationSetUnreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FileEmpty: HTTPStatus.BAD_REQUEST,
    errors.FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.CorpusEmpty: HTTPStatus.BAD_REQUEST,
    errors.CorpusTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.CorpusNotText: HTTPStatus.BAD_REQUEST,
    errors.BadRecord: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UploadIncomplete: HTTPStatus.BAD_REQUEST,
    errors.UploadNotFound: HTTPStatus.NOT_FOUND,
    errors.UploadOffsetMismatch: HTTPStatus.CONFLICT,
    errors.ExtraMissing: HTTPStatus.NOT_IMPLEMENTED,
    errors.TokenizerUnusable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BadCompression: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedEncoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.FormBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.BadDigest: HTTPStatus.BAD_REQUEST,
    errors.DigestMismatch: HTTPStatus.BAD_REQUEST,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.QuotaExceeded: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JobNotFound: HTTPStatus.NOT_FOUND,
    errors.JobInUse: HTTPStatus.CONFLICT,
    errors.JobTooCostly: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MemoryShort: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    errors.StreamsBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JobFinished: HTTPStatus.CONFLICT,
    errors.IdempotencyConflict: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ModelNotFound: HTTPStatus.NOT_FOUND,
    errors.ClassifierNotFound: HTTPStatus.NOT_FOUND,
    errors.NameTaken: HTTPStatus.CONFLICT,
    errors.ModelRequired: HTTPStatus.BAD_REQUEST,
    errors.VersionNotFound: HTTPStatus.NOT_FOUND,
    errors.VersionNotLoaded: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.VersionInUse: HTTPStatus.CONFLICT,
    errors.ModelInUse: HTTPStatus.CONFLICT,
    errors.GateFailed: HTTPStatus.CONFLICT,
    errors.AliasReserved: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.WordNotFound: HTTPStatus.NOT_FOUND,
    errors.EvidenceNotStored: HTTPStatus.NOT_FOUND,
    errors.NotOneWord: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TextNotRead: HTTPStatus.CONFLICT,
    errors.WordSetUnusable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.WordNotWritable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ExportsBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeyRequired: HTTPStatus.UNAUTHORIZED,
    errors.KeyInvalid: HTTPStatus.UNAUTHORIZED,
    errors.NotPermitted: HTTPStatus.FORBIDDEN,
    errors.KeyNotFound: HTTPStatus.NOT_FOUND,
    errors.WebhookNotFound: HTTPStatus.NOT_FOUND,
    errors.WebhookRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RateExceeded: HTTPStatus.TOO_MANY_REQUESTS,
}
PROBLEM_CONTENT: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RETRY_AFTER_SECONDS = {HTTPStatus.TOO_MANY_REQUESTS: 1, HTTPStatus.SERVICE_UNAVAILABLE: 5}

PROBLEMS = Counter("wordkin_problems_total", "Requests that were refused or failed, by the type of problem", ["type"])

router = APIRouter(tags=["operations"])


class Problem(BaseModel):
    """An error as RFC 9457 describes it; further members depend on `type`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    message: Annotated[str, Field(description="the same as `detail`: the member that OpenAI's clients show")]
    request_id: Annotated[
        str | None, Field(description="what the log of the service calls the request; also in `X-Request-Id`")
    ] = None


def problem_responses(*raised: type[WordkinError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of an endpoint that raises these errors."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in raised:
        status = STATUS[error]
        entry = by_status.setdefault(status.value, {"content": {"application/problem+json": {"examples": {}}}})
        entry["description"] = "; ".join(filter(None, [entry.get("description"), error.title]))
        content = entry["content"]["application/problem+json"]
        content["schema"] = {"$ref": "#/components/schemas/Problem"}
        example = {
            "type": f"/problems/{error.slug}",
            "title": error.title,
            "status": status.value,
            "detail": error.__doc__,
        }
        content["examples"][error.slug] = {"value": example}
    return by_status


def problem_of(error: WordkinError, instance: str) -> tuple[HTTPStatus, dict[str, Any]]:
    """Status and body of an error; also the form of an error inside a batch answer."""
    status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    body = error.problem()
    return status, {
        "type": body.pop("type"),
        "title": body.pop("title"),
        "status": status.value,
        "instance": instance,
        "message": body["detail"],
    } | body


def install(app: FastAPI) -> None:
    """Answer every error as a problem."""
    app.add_exception_handler(WordkinError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, http_problem)


def respond(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    all_headers = dict(headers or {})
    if status in RETRY_AFTER_SECONDS:
        all_headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS[status]))
    PROBLEMS.labels(body["type"].rpartition("/")[2]).inc()
    named = get_contextvars().get("request_id")  # none of what was refused before it was a request
    body = {**body, "request_id": named} if named else body
    content = json.dumps(body, ensure_ascii=False, default=str).encode(errors="replace")  # halves of characters
    return Response(content, status.value, all_headers, media_type="application/problem+json")


async def _known(request: Request, error: Exception) -> Response:
    known = cast("WordkinError", error)
    if type(known) not in STATUS:
        raise known
    return respond(*problem_of(known, request.url.path))


async def _invalid(request: Request, error: Exception) -> Response:
    known = cast("RequestValidationError", error)
    return respond(*problem_of(await invalid_request(request, known.errors(), known.body), request.url.path))


async def http_problem(request: Request, error: Exception) -> Response:
    """The answer to what the framework refuses."""
    raised = cast("HTTPException", error)
    if raised.status_code == HTTPStatus.NO_CONTENT:
        return Response(status_code=raised.status_code)
    if isinstance(raised.__cause__, UnicodeDecodeError):  # the framework answers 400 to this, and 422 to all else
        return respond(*problem_of(errors.InvalidRequest("The body is not UTF-8."), request.url.path))
    told = f"{request.method} {request.url.path}: {raised.detail}. See /docs for what there is."
    headers = {"Allow": _allowed(request)} if raised.status_code == HTTPStatus.METHOD_NOT_ALLOWED else raised.headers
    return plain(HTTPStatus(raised.status_code), request.url.path, told, headers)


def _allowed(request: Request) -> str:
    """All methods of a path; a route that refuses another one knows only its own."""
    routes = request.app.router.routes
    scope = {"type": "http", "path": request.scope["path"], "root_path": "", "headers": []}
    found = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(["GET", "HEAD", *found[1:]] if "GET" in found else found)


def unexpected(path: str) -> Response:
    """The answer to what only a fault of ours can be."""
    return plain(HTTPStatus.INTERNAL_SERVER_ERROR, path, "This is a fault of the service; its log has the details.")


def plain(status: HTTPStatus, path: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem that its status says all of."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "instance": path}
    return respond(status, body | {"message": detail, "detail": detail}, headers)


_BY_SLUG = {error.slug: error for error in WordkinError.__subclasses__()}


class ProblemType(BaseModel):
    """What a problem's `type` means; `status` is none for problems that only a job can have."""

    type: str
    title: str
    status: int | None
    meaning: str


def _describe(error: type[WordkinError]) -> ProblemType:
    status = STATUS.get(error)
    return ProblemType(
        type=f"/problems/{error.slug}",
        title=error.title,
        status=status.value if status else None,
        meaning=(error.__doc__ or "").strip(),
    )


@router.get("/problems", operation_id="list_problem_types", openapi_extra=OPEN)
def list_types() -> list[ProblemType]:
    """List every type of problem that this service reports."""
    return [_describe(error) for error in _BY_SLUG.values()]


@router.get(
    "/problems/{slug}",
    operation_id="get_problem_type",
    openapi_extra=OPEN,
    responses={404: {"description": "There is no such type", "content": PROBLEM_CONTENT}},
)
def read_type(slug: str) -> ProblemType:
    """Explain one type of problem."""
    if slug not in _BY_SLUG:
        raise HTTPException(404, f"there is no problem type {slug!r}")
    return _describe(_BY_SLUG[slug])
