"""What the routes share by which users upload something under a name."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import Depends, Header, Response, status
from pydantic import BaseModel, Field

from app.core.catalog.uploads import Expectation, Expected, FileContent, Row, Uploads
from app.core.database import Database
from app.core.errors import (
    BadCompression,
    BadDigest,
    DatabaseUnavailable,
    DigestMismatch,
    FormBody,
    InvalidRequest,
    NotPermitted,
    PreconditionFailed,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
    UnsupportedEncoding,
    UploadIncomplete,
)
from app.core.records import Corpus, File
from app.core.storage import Storage
from app.web.dependencies import SettingsDependency, StorageDependency
from app.web.uploads import Upload

ERRORS = (
    UploadIncomplete,
    BadCompression,
    UnsupportedEncoding,
    FormBody,
    BadDigest,
    DigestMismatch,
    StorageFull,
    QuotaExceeded,
    StorageUnavailable,
    InvalidRequest,
    PreconditionFailed,
    NotPermitted,
    DatabaseUnavailable,
)
"""What the upload of anything may be refused with."""
BINARY_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""What OpenAPI says of a body that is streamed."""

logger = structlog.get_logger()


class SentHeaders(BaseModel):
    """What the sender of a body says of it, and expects of what has its name by now."""

    content_encoding: Annotated[str, Field(description="identity, gzip or zstd")] = "identity"
    content_digest: Annotated[str | None, Field(description="sha-256=:base64: of the body as sent")] = None
    repr_digest: Annotated[str | None, Field(description="the same")] = None
    if_match: Annotated[str | None, Field(description="the ETag that the newest revision has; * for any")] = None
    if_none_match: Annotated[str | None, Field(description="*: nothing must have this name yet")] = None


class Sent:
    """An upload that is about to come, as its headers say: a dependency of routes."""

    def __init__(
        self, storage: StorageDependency, settings: SettingsDependency, said: Annotated[SentHeaders, Header()]
    ) -> None:
        self.expected = expected_of(said.if_match, said.if_none_match)
        digest = said.content_digest or said.repr_digest
        self.upload = Upload(storage, settings, encoding=said.content_encoding, digest=digest)


SentDependency = Annotated[Sent, Depends()]


def etag_of(row: Corpus | File) -> str:
    return f'"{row.id}"'


def tell_stored(response: Response, path: str, row: Corpus | File, *, is_new: bool) -> None:
    """Status and headers of the answer to an upload."""
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    response.headers["Location"] = f"{path}/{quote(row.name)}"
    response.headers["ETag"] = etag_of(row)


def keep(
    uploads: Uploads[Row],
    database: Database,
    storage: Storage,
    name: str,
    content: FileContent,
    expected: Expectation = None,
) -> tuple[Row, bool]:
    """Make what was stored the next revision of a name; it is deleted again if the newest one has this content."""
    is_new, noun = False, uploads.noun
    try:
        with database.transaction() as session:
            kept, is_new = uploads.add(session, name, content, expected=expected)
        if not is_new and not storage.exists(kept.key):
            storage.move(content.key, kept.key)  # the object was lost: this heals it
            logger.warning(f"{noun} healed", action=f"{noun}_healed", key=kept.key, **{noun: name})
    finally:
        if not is_new:
            storage.delete([content.key])
    told = {noun: name, "revision": kept.revision, "n_bytes": content.n_bytes, "is_new": is_new}
    logger.info(f"{noun} stored", action=f"{noun}_stored", **told)
    return kept, is_new


def remove(uploads: Uploads[Row], database: Database, storage: Storage, name: str, revision: int | None = None) -> None:
    """Delete what has a name, or an older revision of it, that no unfinished job reads; versions made of it stay."""
    with database.transaction() as session:
        keys = uploads.delete(session, name, revision)
    storage.delete(keys)
    noun = uploads.noun
    logger.info(f"{noun} deleted", action=f"{noun}_deleted", revision=revision, **{noun: name})


def expected_of(if_match: str | None, if_none_match: str | None) -> Expectation:
    """What the headers of an upload say of what has that name by now."""
    if if_none_match is not None:
        if if_match is not None or if_none_match.strip() != "*":
            raise InvalidRequest("If-None-Match must be *, and stand without If-Match.", if_none_match=if_none_match)
        return Expected.NONE
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return Expected.ANY
    return {tag.strip().strip('"') for tag in if_match.split(",")}
