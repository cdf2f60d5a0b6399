"""Uploads that come in parts: bytes are added where an upload ends, and sealed they are read as one body.

The names of headers and of what they mean follow draft-ietf-httpbis-resumable-upload.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response
from obstore.exceptions import NotFoundError
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app.core.catalog import partial
from app.core.catalog.uploads import Expectation, FileContent, Row, Uploads
from app.core.database import Database
from app.core.errors import InvalidRequest, QuotaExceeded, UploadIncomplete, UploadOffsetMismatch
from app.core.names import new_part_key
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.stored_file import ObjectWriter
from app.core.upload_records import PartialUpload
from app.web.dependencies import DatabaseDependency, SettingsDependency, StorageDependency
from app.web.named_uploads import keep
from app.web.space import check_space
from app.web.uploads import Receiver, StatedDigest, Upload, in_threads, pieces

Receive = Callable[[AsyncIterator[bytes]], Awaitable[FileContent]]
"""Streams a body into storage, and tells what it turned out to be."""
PART_BYTES = 32 << 20
"""What is lost at most when a process is killed: so much is written before the upload is said to go on behind it."""


class UploadState(BaseModel):
    """How much of an upload has come; it is kept until `expires_at`, which every part puts off."""

    id: str
    name: str
    offset: int
    length: int | None
    is_sealed: bool
    expires_at: datetime

    @classmethod
    def of(cls, upload: PartialUpload) -> UploadState:
        return cls(
            id=upload.id,
            name=upload.name,
            offset=upload.n_bytes,
            length=upload.length,
            is_sealed=upload.sealed_as is not None,
            expires_at=upload.expires_at,
        )


class NewUploadHeaders(BaseModel):
    """What is said of an upload when it begins."""

    upload_length: Annotated[int | None, Field(ge=0, description="how many bytes will come, if that is known")] = None
    content_encoding: Annotated[str, Field(description="of all that comes: identity, gzip or zstd")] = "identity"


class SealHeaders(BaseModel):
    """What is said of an upload when all has come, and expected of what has its name by then."""

    repr_digest: Annotated[str | None, Field(description="sha-256=:base64: of all that was sent")] = None
    if_match: Annotated[str | None, Field(description="the ETag that the newest revision has; * for any")] = None
    if_none_match: Annotated[str | None, Field(description="*: nothing must have this name yet")] = None


class PartHeaders(BaseModel):
    """What is said of bytes that are added."""

    upload_offset: Annotated[int, Field(ge=0, description="where the upload ends")]
    content_digest: Annotated[str | None, Field(description="sha-256=:base64: of this body")] = None
    content_encoding: Annotated[str, Field(description="identity; another one is said when the upload begins")] = (
        "identity"
    )


class Parts:
    """What adding to uploads needs: a dependency of routes."""

    def __init__(self, database: DatabaseDependency, storage: StorageDependency, settings: SettingsDependency) -> None:
        self.database: Database = database
        self.storage: Storage = storage
        self.settings: Settings = settings
        self.keep = timedelta(hours=settings.upload_hours)

    async def create(
        self, kind: type[Receiver], name: str, said: NewUploadHeaders, how: Mapping[str, Any]
    ) -> PartialUpload:
        """Begin an upload; what can be refused by what is said of it is refused now."""
        checks = Upload(self.storage, self.settings, encoding=said.content_encoding, digest=None)
        checks.check_size(said.upload_length or 0, kind)
        return await run_in_threadpool(self._create, kind.noun, name, said, how)

    def _create(self, noun: str, name: str, said: NewUploadHeaders, how: Mapping[str, Any]) -> PartialUpload:
        read_as = {"content_encoding": said.content_encoding, **how}
        with self.database.transaction() as session:
            return partial.create(session, noun, name, read_as, length=said.upload_length, keep=self.keep)

    def whole(self, upload: PartialUpload, said: SealHeaders) -> Upload:
        """All that has come, as one body on its way into storage."""
        encoding: str = upload.how["content_encoding"]
        return Upload(self.storage, self.settings, encoding=encoding, digest=said.repr_digest)

    def find(self, noun: str, name: str, upload_id: str) -> PartialUpload:
        with self.database.reading() as session:
            return partial.get(session, noun, name, upload_id)

    def body(self, upload: PartialUpload) -> AsyncIterator[bytes]:
        """All that has come, in its order; raises `UploadIncomplete`."""
        if upload.length not in {None, upload.n_bytes}:
            raise UploadIncomplete(f"{upload.n_bytes} of {upload.length} bytes have come.", offset=upload.n_bytes)
        with self.database.reading() as session:
            keys = partial.parts(session, upload)
        return _read(self.storage, keys)

    async def revision(
        self, uploads: Uploads[Row], upload: PartialUpload, expected: Expectation, receive: Receive
    ) -> tuple[Row, bool]:
        """What an upload becomes, made now by `receive`, or was made already; and whether it is new.

        Raises
        ------
        UploadIncomplete
        Exception
            What `receive` and `keep` raise, or that what it has become was deleted since.
        """
        if upload.sealed_as is not None:
            return await run_in_threadpool(self._sealed, uploads, upload.name, upload.sealed_as), False
        content = await receive(await run_in_threadpool(self.body, upload))
        kept = await run_in_threadpool(keep, uploads, self.database, self.storage, upload.name, content, expected)
        await run_in_threadpool(self._seal, upload, kept[0])
        return kept

    def _sealed(self, uploads: Uploads[Row], name: str, row_id: str) -> Row:
        with self.database.reading() as session:
            return uploads.by_id(session, name, row_id)

    def _seal(self, upload: PartialUpload, row: Row) -> None:
        with self.database.transaction() as session:
            keys = partial.seal(session, upload, row.id)
        self.storage.delete(keys)

    def remove(self, upload: PartialUpload) -> None:
        with self.database.transaction() as session:
            keys = partial.remove(session, upload)
        self.storage.delete(keys)


PartsDependency = Annotated[Parts, Depends()]
PartHeadersDependency = Annotated[PartHeaders, Header()]
NewUploadDependency = Annotated[NewUploadHeaders, Header()]
SealDependency = Annotated[SealHeaders, Header()]


async def _read(storage: Storage, keys: Sequence[str]) -> AsyncIterator[bytes]:
    for key in keys:
        stream = storage.stream(key)
        try:
            while (piece := await run_in_threadpool(next, stream, None)) is not None:
                yield bytes(piece)
        except (NotFoundError, FileNotFoundError) as error:
            raise UploadIncomplete("A part is not in storage any more; begin another upload.") from error


def tell_state(response: Response, state: UploadState, settings: Settings) -> UploadState:
    """The headers of an upload, and itself."""
    response.headers["Upload-Offset"] = str(state.offset)
    response.headers["Upload-Complete"] = "?1" if state.is_sealed else "?0"
    response.headers["Cache-Control"] = "no-store"
    limits = f"max-size={settings.max_corpus_bytes}, max-age={int(settings.upload_hours * 3600)}"
    response.headers["Upload-Limit"] = limits
    return state


def tell_created(response: Response, path: str, state: UploadState, settings: Settings) -> UploadState:
    """The same of a new one."""
    response.headers["Location"] = f"{path}/{quote(state.name)}/uploads/{state.id}"
    return tell_state(response, state, settings)


@dataclass
class Appending:
    """Bytes of one request on their way to the end of an upload.

    Parameters
    ----------
    parts : where they go
    upload : as it was at the beginning
    kind : says what is too large
    said : by the sender
    """

    parts: Parts
    upload: PartialUpload
    kind: type[Receiver]
    said: PartHeaders

    def __post_init__(self) -> None:
        """Refuse what need not be read."""
        if self.said.content_encoding.strip().lower() not in {"", "identity"}:
            raise InvalidRequest(
                "Content-Encoding is said once, when the upload is created; its bytes come as they are."
            )
        if self.upload.sealed_as is not None or self.said.upload_offset != self.upload.n_bytes:
            raise partial.mismatch(self.upload.n_bytes, self.said.upload_offset)
        self.offset = self.upload.n_bytes
        self._digest = StatedDigest(self.said.content_digest) if self.said.content_digest else None
        self._checks = Upload(self.parts.storage, self.parts.settings, encoding="identity", digest=None)
        self._cut: UploadIncomplete | None = None

    async def take(self, request: Request) -> int:
        """Add all that comes, and return where the upload ends; what came before a connection was lost is kept.

        With a digest all is added at once, or nothing.
        """
        self._checks.check_announced(request, self.kind)
        coming = pieces(request.stream())
        piece = await self._next(coming)
        while piece:
            key, first = new_part_key(self.upload.id), self.offset
            async with in_threads(self.parts.storage.writer(key)) as writer:
                while piece and (self._digest or self.offset - first < PART_BYTES):
                    await run_in_threadpool(self._write, writer, piece)
                    piece = await self._next(coming)
                if self._digest:
                    self._check(self._digest)
            await run_in_threadpool(self._commit, key, first)
        if self._cut:
            raise self._cut
        return self.offset

    async def _next(self, coming: AsyncIterator[bytes]) -> bytes:
        try:
            return await anext(coming, b"")
        except UploadIncomplete as error:
            self._cut = error
            return b""

    def _check(self, digest: StatedDigest) -> None:
        if self._cut:
            raise self._cut
        digest.check()

    def _write(self, writer: ObjectWriter, piece: bytes) -> None:
        end, limit = self.offset + len(piece), self.parts.settings.max_corpus_bytes
        if end > limit:
            told = f"The {self.kind.noun} has more than {limit} bytes, the limit of this service."
            raise self.kind.too_large(told, limit_bytes=limit)
        if self.upload.length is not None and end > self.upload.length:
            raise InvalidRequest(f"More comes than the {self.upload.length} bytes that Upload-Length has announced.")
        check_space(self.parts.storage, self.parts.settings, len(piece))
        if self._digest:
            self._digest.update(piece)
        writer.write(piece)
        self.offset = end

    def _commit(self, key: str, first: int) -> None:
        """Name what was written; if the database does not say whether it did, the object is left to be swept."""
        try:
            with self.parts.database.transaction() as session:
                n_bytes = self.offset - first
                partial.append(session, self.upload, key, n_bytes, first=first, keep=self.parts.keep)
        except (UploadOffsetMismatch, QuotaExceeded):
            self.parts.storage.delete([key])
            raise
