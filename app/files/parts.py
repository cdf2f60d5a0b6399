"""Files that are uploaded in parts: begun, and sealed when all has come."""

from __future__ import annotations

from fastapi import APIRouter, Response, status
from starlette.concurrency import run_in_threadpool

from app.core import errors
from app.core.catalog import files
from app.files.endpoints import UPLOAD_RESPONSES
from app.files.receive import FileReceiver, receive
from app.files.schemas import FileDescription, FileName
from app.web.named_uploads import expected_of, tell_stored
from app.web.part_routes import CREATE_ERRORS, SEAL_RESPONSES, UploadId, add_routes
from app.web.parts import NewUploadDependency, PartsDependency, SealDependency, UploadState, tell_created
from app.web.problems import problem_responses
from app.web.scopes import TRAIN

router = APIRouter(tags=["files"])
add_routes(router, "/files", FileReceiver)


@router.post(
    "/files/{name}/uploads",
    operation_id="create_file_upload",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.FileTooLarge, *CREATE_ERRORS),
    openapi_extra=TRAIN,
)
async def create(
    name: FileName,
    parts: PartsDependency,
    said: NewUploadDependency,
    response: Response,
) -> UploadState:
    """Begin an upload that survives lost connections: `PATCH` adds bytes to what Location names, `seal` ends it.

    It is kept for some time after its last part; `Upload-Limit` says how long, and how much may come.
    """
    upload = await parts.create(FileReceiver, name, said, {})
    return tell_created(response, "/files", UploadState.of(upload), parts.settings)


@router.post(
    "/files/{name}/uploads/{upload_id}/seal",
    operation_id="seal_file_upload",
    status_code=status.HTTP_201_CREATED,
    responses=UPLOAD_RESPONSES | SEAL_RESPONSES,
    openapi_extra=TRAIN,
)
async def seal(
    name: FileName, upload_id: UploadId, parts: PartsDependency, said: SealDependency, response: Response
) -> FileDescription:
    """Make what has come the next revision of the file, as if it had been sent at once; the answer is the same.

    What is refused stays an upload, to be given up. Sealing twice is sealing once.
    """
    expected = expected_of(said.if_match, said.if_none_match)
    upload = await run_in_threadpool(parts.find, "file", name, upload_id)
    file, is_new = await parts.revision(files, upload, expected, lambda body: receive(parts.whole(upload, said), body))
    tell_stored(response, "/files", file, is_new=is_new)
    return FileDescription.model_validate(file)
