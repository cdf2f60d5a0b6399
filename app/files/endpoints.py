"""Files that are no corpus, such as vectors, word lists and evaluation sets: upload, list, read, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, status
from starlette.concurrency import run_in_threadpool

from app.core import errors
from app.core.access import check_name
from app.core.catalog import files
from app.files.receive import FileReceiver, receive
from app.files.schemas import FileDescription, FileName, FilePage, FileRevisions, FileSummary
from app.web.dependencies import DatabaseDependency, StorageDependency
from app.web.named_uploads import BINARY_BODY, ERRORS, SentDependency, etag_of, keep, remove, tell_stored
from app.web.problems import problem_responses
from app.web.scopes import READ, TRAIN

router = APIRouter(tags=["files"])

UPLOAD_RESPONSES = problem_responses(errors.FileEmpty, errors.FileTooLarge, *ERRORS)
UPLOAD_RESPONSES[200] = {"model": FileDescription, "description": "The newest revision has this content"}


@router.put(
    "/files/{name}",
    operation_id="upload_file",
    status_code=status.HTTP_201_CREATED,
    responses=UPLOAD_RESPONSES,
    openapi_extra=BINARY_BODY | TRAIN,
)
async def upload(
    name: FileName,
    request: Request,
    response: Response,
    database: DatabaseDependency,
    storage: StorageDependency,
    sent: SentDependency,
) -> FileDescription:
    """Store what is no corpus, such as word vectors to import. The body is the content itself, streamed.

    A compressed body is stored unpacked if Content-Encoding says how. Other content than before becomes the next
    revision; sending the same again changes nothing and answers 200. Jobs read the newest revision, or the one that
    ``name@revision`` says.
    """
    check_name(name)
    sent.upload.check_announced(request, FileReceiver)
    content = await receive(sent.upload, request.stream())
    file, is_new = await run_in_threadpool(keep, files, database, storage, name, content, sent.expected)
    tell_stored(response, "/files", file, is_new=is_new)
    return FileDescription.model_validate(file)


@router.get(
    "/files", operation_id="list_files", openapi_extra=READ, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_files(
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(description="the last name of the page before")] = None,
) -> FilePage:
    """List files by name."""
    with database.reading() as session:
        found = files.page(session, limit=limit + 1, after=after)
    page = [
        FileSummary(**FileDescription.model_validate(file).model_dump(), n_bytes_of_all_revisions=n_bytes)
        for file, n_bytes in found[:limit]
    ]
    return FilePage(files=page, next=page[-1].name if len(found) > limit else None)


@router.get(
    "/files/{name}",
    operation_id="get_file",
    openapi_extra=READ,
    responses=problem_responses(errors.FileNotFound, errors.DatabaseUnavailable),
)
def read(name: FileName, database: DatabaseDependency, response: Response) -> FileDescription:
    """Read what is known of the newest revision; its `ETag` guards the next upload."""
    with database.reading() as session:
        file = files.get(session, name)
    response.headers["ETag"] = etag_of(file)
    return FileDescription.model_validate(file)


@router.get(
    "/files/{name}/revisions",
    operation_id="list_file_revisions",
    openapi_extra=READ,
    responses=problem_responses(errors.FileNotFound, errors.DatabaseUnavailable),
)
def list_revisions(name: FileName, database: DatabaseDependency) -> FileRevisions:
    """List the revisions of a file, newest first."""
    with database.reading() as session:
        found = files.revisions(session, name)
    return FileRevisions(revisions=[FileDescription.model_validate(file) for file in found])


@router.delete(
    "/files/{name}",
    operation_id="delete_file",
    openapi_extra=TRAIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.FileNotFound, errors.FileInUse, errors.StorageUnavailable, errors.DatabaseUnavailable
    ),
)
def delete(name: FileName, database: DatabaseDependency, storage: StorageDependency) -> None:
    """Delete a file that no unfinished job reads, with all revisions. Versions made of it stay."""
    remove(files, database, storage, name)


@router.delete(
    "/files/{name}/revisions/{revision}",
    operation_id="delete_file_revision",
    openapi_extra=TRAIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.FileNotFound,
        errors.FileInUse,
        errors.NewestRevision,
        errors.StorageUnavailable,
        errors.DatabaseUnavailable,
    ),
)
def delete_revision(
    name: FileName,
    revision: Annotated[int, Path(ge=1, lt=1 << 31, description="the revision's number")],
    database: DatabaseDependency,
    storage: StorageDependency,
) -> None:
    """Delete an older revision that no unfinished job reads."""
    remove(files, database, storage, name, revision)
