"""Corpora: upload, list, read, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status
from starlette.concurrency import run_in_threadpool

from app.core import errors
from app.core.access import check_name
from app.core.catalog import corpora, files
from app.corpora import preview as previews
from app.corpora.decode import TextDecoder
from app.corpora.receive import TextReceiver, receive
from app.corpora.schemas import (
    CorpusDescription,
    CorpusName,
    CorpusPage,
    CorpusPreview,
    CorpusRevision,
    CorpusRevisions,
    CorpusSummary,
    Encoding,
    Invalid,
    PreviewText,
)
from app.web.dependencies import DatabaseDependency, StorageDependency
from app.web.named_uploads import BINARY_BODY, ERRORS, SentDependency, etag_of, keep, remove, tell_stored
from app.web.problems import problem_responses
from app.web.scopes import READ, TRAIN

router = APIRouter(tags=["corpora"])

UPLOAD_RESPONSES = problem_responses(errors.CorpusEmpty, errors.CorpusTooLarge, errors.CorpusNotText, *ERRORS)
UPLOAD_RESPONSES[200] = {"model": CorpusDescription, "description": "The newest revision has this content"}


@router.put(
    "/corpora/{name}",
    operation_id="upload_corpus",
    status_code=status.HTTP_201_CREATED,
    responses=UPLOAD_RESPONSES,
    openapi_extra=BINARY_BODY | TRAIN,
)
async def upload(
    name: CorpusName,
    request: Request,
    response: Response,
    database: DatabaseDependency,
    storage: StorageDependency,
    sent: SentDependency,
    encoding: Encoding = "utf-8",
    invalid_utf8: Invalid = "reject",
) -> CorpusDescription:
    """Store a text, one sentence or document a line. The body is the text itself, streamed, of any size to the limit.

    Text in another `encoding` is stored as UTF-8. A Parquet file is stored as it is; any other body that is no text,
    such as an archive, a PDF or a form, is refused by its name. Other content than before becomes the next revision;
    sending the same again changes nothing and answers 200. Jobs read the newest revision, or the one that
    ``name@revision`` says.
    """
    check_name(name)
    text = TextDecoder(encoding, invalid_utf8)
    sent.upload.check_announced(request, TextReceiver)
    content = await receive(sent.upload, request.stream(), text)
    corpus, is_new = await run_in_threadpool(keep, corpora, database, storage, name, content, sent.expected)
    tell_stored(response, "/corpora", corpus, is_new=is_new)
    return CorpusDescription.model_validate(corpus)


@router.get(
    "/corpora", operation_id="list_corpora", openapi_extra=READ, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_corpora(
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(description="the last name of the page before")] = None,
) -> CorpusPage:
    """List corpora by name."""
    with database.reading() as session:
        found = corpora.page(session, limit=limit + 1, after=after)
    page = [
        CorpusSummary(**CorpusDescription.model_validate(corpus).model_dump(), n_bytes_of_all_revisions=n_bytes)
        for corpus, n_bytes in found[:limit]
    ]
    return CorpusPage(corpora=page, next=page[-1].name if len(found) > limit else None)


@router.get(
    "/corpora/{name}",
    operation_id="get_corpus",
    openapi_extra=READ,
    responses=problem_responses(errors.CorpusNotFound, errors.DatabaseUnavailable),
)
def read(name: CorpusName, database: DatabaseDependency, response: Response) -> CorpusDescription:
    """Read what is known of the newest revision; its `ETag` guards the next upload."""
    with database.reading() as session:
        corpus = corpora.get(session, name)
    response.headers["ETag"] = etag_of(corpus)
    return CorpusDescription.model_validate(corpus)


@router.get(
    "/corpora/{name}/revisions",
    operation_id="list_corpus_revisions",
    openapi_extra=READ,
    responses=problem_responses(errors.CorpusNotFound, errors.DatabaseUnavailable),
)
def list_revisions(name: CorpusName, database: DatabaseDependency) -> CorpusRevisions:
    """List the revisions of a corpus, newest first."""
    with database.reading() as session:
        found = corpora.revisions(session, name)
    return CorpusRevisions(revisions=[CorpusDescription.model_validate(corpus) for corpus in found])


@router.get(
    "/corpora/{name}/preview",
    operation_id="preview_corpus",
    openapi_extra=READ,
    responses=problem_responses(
        errors.CorpusNotFound,
        errors.FileNotFound,
        errors.BadRecord,
        errors.ExtraMissing,
        errors.InvalidRequest,
        errors.Overloaded,
        errors.StorageUnavailable,
        errors.DatabaseUnavailable,
    ),
)
def preview(
    name: CorpusName, database: DatabaseDependency, storage: StorageDependency, text: Annotated[PreviewText, Query()]
) -> CorpusPreview:
    """Show the words of the first lines, as a job with the same `text` will read them.

    A `tokenizer` that a job learns of the corpus is learned of its first megabyte here, which `learned_from` says.
    """
    spec = text.spec()
    with database.reading() as session:
        corpus = corpora.get(session, name)
        read_with = {resource: files.named(session, file) for resource, file in spec.files().items()}
    return previews.preview(corpus, spec, read_with, storage)


@router.delete(
    "/corpora/{name}",
    operation_id="delete_corpus",
    openapi_extra=TRAIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.CorpusNotFound, errors.CorpusInUse, errors.StorageUnavailable, errors.DatabaseUnavailable
    ),
)
def delete(name: CorpusName, database: DatabaseDependency, storage: StorageDependency) -> None:
    """Delete a corpus that no unfinished job reads, with all revisions. Versions trained on it stay."""
    remove(corpora, database, storage, name)


@router.delete(
    "/corpora/{name}/revisions/{revision}",
    operation_id="delete_corpus_revision",
    openapi_extra=TRAIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.CorpusNotFound,
        errors.CorpusInUse,
        errors.NewestRevision,
        errors.StorageUnavailable,
        errors.DatabaseUnavailable,
    ),
)
def delete_revision(
    name: CorpusName, revision: CorpusRevision, database: DatabaseDependency, storage: StorageDependency
) -> None:
    """Delete an older revision that no unfinished job reads."""
    remove(corpora, database, storage, name, revision)
