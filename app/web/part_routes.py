"""The routes of uploads that come in parts, alike for every noun: how far it is, add to it, give it up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response, status
from starlette.concurrency import run_in_threadpool

from app.core import errors
from app.core.names import Name
from app.web.named_uploads import BINARY_BODY
from app.web.parts import Appending, PartHeadersDependency, PartsDependency, UploadState, tell_state
from app.web.problems import problem_responses
from app.web.scopes import TRAIN
from app.web.uploads import Receiver

UploadName = Annotated[Name, Path(description="of the corpus or file that it will be", examples=["bible"])]
UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="of the upload", examples=["0" * 32])]
NOT_THERE = (errors.UploadNotFound, errors.InvalidRequest, errors.DatabaseUnavailable)
PART = {"requestBody": BINARY_BODY["requestBody"] | {"required": False}}
"""A part may be empty."""
APPEND_ERRORS = (
    *NOT_THERE,
    errors.UploadOffsetMismatch,
    errors.UploadIncomplete,
    errors.QuotaExceeded,
    errors.FormBody,
    errors.BadDigest,
    errors.DigestMismatch,
    errors.StorageFull,
    errors.StorageUnavailable,
)

CREATE_ERRORS = (
    errors.UnsupportedEncoding,
    errors.StorageFull,
    errors.NotPermitted,
    errors.InvalidRequest,
    errors.DatabaseUnavailable,
)
SEAL_RESPONSES = problem_responses(errors.UploadNotFound, errors.CorpusNotFound, errors.FileNotFound)


def add_routes(router: APIRouter, path: str, kind: type[Receiver]) -> None:
    """Add them below a noun's path."""
    one = f"{path}/{{name}}/uploads/{{upload_id}}"
    _add_read(router, one, kind.noun)
    _add_append(router, one, kind)
    _add_remove(router, one, kind.noun)


def _add_read(router: APIRouter, path: str, noun: str) -> None:
    @router.get(path, operation_id=f"get_{noun}_upload", openapi_extra=TRAIN, responses=problem_responses(*NOT_THERE))
    async def read(name: UploadName, upload_id: UploadId, parts: PartsDependency, response: Response) -> UploadState:
        """Read how much has come: the next bytes go to `offset`. HEAD tells it as `Upload-Offset`."""
        state = UploadState.of(await run_in_threadpool(parts.find, noun, name, upload_id))
        return tell_state(response, state, parts.settings)


def _add_append(router: APIRouter, path: str, kind: type[Receiver]) -> None:
    @router.patch(
        path,
        operation_id=f"append_to_{kind.noun}_upload",
        status_code=status.HTTP_204_NO_CONTENT,
        responses=problem_responses(kind.too_large, *APPEND_ERRORS),
        openapi_extra=PART | TRAIN,
    )
    async def append(
        name: UploadName,
        upload_id: UploadId,
        parts: PartsDependency,
        said: PartHeadersDependency,
        request: Request,
    ) -> Response:
        """Add bytes to the end, which is at `Upload-Offset`. What came before a connection was lost is kept.

        If the upload ends elsewhere, also because somebody else adds to it, 409 says where. With a Content-Digest the
        body is added whole and as it was sent, or not at all.
        """
        upload = await run_in_threadpool(parts.find, kind.noun, name, upload_id)
        offset = await Appending(parts, upload, kind, said).take(request)
        headers = {"Upload-Offset": str(offset), "Upload-Complete": "?0"}
        return Response(status_code=status.HTTP_204_NO_CONTENT, headers=headers)


def _add_remove(router: APIRouter, path: str, noun: str) -> None:
    @router.delete(
        path,
        operation_id=f"delete_{noun}_upload",
        status_code=status.HTTP_204_NO_CONTENT,
        responses=problem_responses(*NOT_THERE, errors.StorageUnavailable),
        openapi_extra=TRAIN,
    )
    async def remove(name: UploadName, upload_id: UploadId, parts: PartsDependency) -> None:
        """Give an upload up; what has come of it is deleted."""
        upload = await run_in_threadpool(parts.find, noun, name, upload_id)
        await run_in_threadpool(parts.remove, upload)
