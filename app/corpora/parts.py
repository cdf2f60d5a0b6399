"""Corpora that are uploaded in parts: begun, and sealed when all has come."""

from __future__ import annotations

from fastapi import APIRouter, Response, status
from starlette.concurrency import run_in_threadpool

from app.core import errors
from app.core.catalog import corpora
from app.corpora.decode import TextDecoder
from app.corpora.endpoints import UPLOAD_RESPONSES
from app.corpora.receive import TextReceiver, receive
from app.corpora.schemas import CorpusDescription, CorpusName, Encoding, Invalid
from app.web.named_uploads import expected_of, tell_stored
from app.web.part_routes import CREATE_ERRORS, SEAL_RESPONSES, UploadId, add_routes
from app.web.parts import NewUploadDependency, PartsDependency, SealDependency, UploadState, tell_created
from app.web.problems import problem_responses
from app.web.scopes import TRAIN

router = APIRouter(tags=["corpora"])
add_routes(router, "/corpora", TextReceiver)


@router.post(
    "/corpora/{name}/uploads",
    operation_id="create_corpus_upload",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.CorpusTooLarge, *CREATE_ERRORS),
    openapi_extra=TRAIN,
)
async def create(
    name: CorpusName,
    parts: PartsDependency,
    said: NewUploadDependency,
    response: Response,
    encoding: Encoding = "utf-8",
    invalid_utf8: Invalid = "reject",
) -> UploadState:
    """Begin an upload that survives lost connections: `PATCH` adds bytes to what Location names, `seal` ends it.

    It is kept for some time after its last part; `Upload-Limit` says how long, and how much may come.
    """
    TextDecoder(encoding, invalid_utf8)
    how = {"encoding": encoding, "invalid_utf8": invalid_utf8}
    upload = await parts.create(TextReceiver, name, said, how)
    return tell_created(response, "/corpora", UploadState.of(upload), parts.settings)


@router.post(
    "/corpora/{name}/uploads/{upload_id}/seal",
    operation_id="seal_corpus_upload",
    status_code=status.HTTP_201_CREATED,
    responses=UPLOAD_RESPONSES | SEAL_RESPONSES,
    openapi_extra=TRAIN,
)
async def seal(
    name: CorpusName, upload_id: UploadId, parts: PartsDependency, said: SealDependency, response: Response
) -> CorpusDescription:
    """Make what has come the next revision of the corpus, as if it had been sent at once; the answer is the same.

    Text is looked at now: what is refused stays an upload, to be given up. Sealing twice is sealing once.
    """
    expected = expected_of(said.if_match, said.if_none_match)
    upload = await run_in_threadpool(parts.find, "corpus", name, upload_id)
    text = TextDecoder(upload.how["encoding"], upload.how["invalid_utf8"])
    corpus, is_new = await parts.revision(
        corpora, upload, expected, lambda body: receive(parts.whole(upload, said), body, text)
    )
    tell_stored(response, "/corpora", corpus, is_new=is_new)
    return CorpusDescription.model_validate(corpus)
