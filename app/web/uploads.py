"""Bodies of any size on their way into storage, with constant memory; what a body must hold, each noun says itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import http_sf
from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from app.core import access
from app.core.errors import (
    BadCompression,
    BadDigest,
    DigestMismatch,
    FileTooLarge,
    FormBody,
    UploadIncomplete,
    WordkinError,
)
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.stored_file import ObjectWriter
from app.web.decompress import PIECE_BYTES, Decoder, decoder_for
from app.web.space import check_space

if TYPE_CHECKING:
    from hashlib import _Hash

ALGORITHMS = ("sha-256", "sha-512")
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
RATIO_FREE_BYTES = 10 << 20


def check_media_type(content_type: str) -> None:
    """Raise `FormBody` for what HTTP clients make of a file or of data unless they are told to send the bytes."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in FORMS:
        raise FormBody(
            f"The body is sent as {media_type}, so that it is not the content itself: use curl -T FILE URL; other "
            "clients send the bytes with Content-Type: application/octet-stream, or text/plain.",
            content_type=media_type,
        )


class StatedDigest:
    """The digest of the body as sent, from a ``Content-Digest`` or ``Repr-Digest`` header (RFC 9530)."""

    def __init__(self, header: str) -> None:
        try:
            members: Any = http_sf.parse(header.encode(), tltype="dictionary")
        except ValueError as error:
            raise BadDigest(f"{header!r} is no dictionary of digests: {error}.", digest=header) from error
        stated = [(name, members[name][0]) for name in ALGORITHMS if name in members]
        if not stated or not isinstance(stated[0][1], bytes):
            raise BadDigest(
                f"{header!r} states no sha-256 or sha-512 digest of the form sha-256=:base64:.", digest=header
            )
        self._algorithm, self._expected = stated[0]
        self._hash: _Hash = hashlib.new(self._algorithm.replace("-", ""))

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def check(self) -> None:
        if self._hash.digest() != self._expected:
            actual = base64.b64encode(self._hash.digest()).decode()
            raise DigestMismatch(f"The body's digest is {self._algorithm}=:{actual}:.", actual=actual)


class Receiver:
    """Takes the body piece by piece: decompresses, hashes, counts and writes it.

    Limits are checked inside the decoding loop, so that a small body cannot expand without end.
    """

    noun: ClassVar[str] = "file"
    too_large: ClassVar[type[WordkinError]] = FileTooLarge

    def __init__(self, writer: ObjectWriter, decoder: Decoder, *, max_bytes: int, max_ratio: float) -> None:
        self._writer = writer
        self._decoder = decoder
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._hash = hashlib.sha256()
        self._n_received = 0
        self.n_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body; raises `BadCompression`, and what is too large or not as it must be."""
        self._n_received += len(data)
        for piece in self._decoder.decode(data):
            self._take(piece)
            self._check_size()

    def finish(self) -> None:
        """Take the end of the body; raises as `feed`."""
        self._decoder.finish()
        self._take(b"", final=True)
        self._check_size()

    def _take(self, piece: bytes, *, final: bool = False) -> None:  # noqa: ARG002 (for those who hold bytes back)
        self._write(piece)

    def _write(self, data: bytes) -> None:
        if data:
            self._hash.update(data)
            self.n_bytes += len(data)
            self._writer.write(data)

    def _check_size(self) -> None:
        if self.n_bytes > self._max_bytes:
            raise self.too_large(
                f"The {self.noun} has more than {self._max_bytes} bytes, the limit of this service.",
                limit_bytes=self._max_bytes,
            )
        if self.n_bytes > RATIO_FREE_BYTES and self.n_bytes > self._max_ratio * self._n_received:
            raise BadCompression(
                f"The body expands more than {self._max_ratio:g} times, the limit of this service.",
                limit_ratio=self._max_ratio,
            )


SomeReceiver = TypeVar("SomeReceiver", bound=Receiver)


class Upload:
    """One body on its way into storage."""

    def __init__(self, storage: Storage, settings: Settings, *, encoding: str, digest: str | None) -> None:
        self._storage = storage
        self._settings = settings
        self._max_bytes = min(settings.max_corpus_bytes, access.current().quota.max_bytes or settings.max_corpus_bytes)
        self._decoder = decoder_for(encoding)
        self._digest = StatedDigest(digest) if digest else None

    def check_announced(self, request: Request, kind: type[Receiver]) -> None:
        """Refuse by type and announced size before anything is read.

        Raises
        ------
        FormBody, FileTooLarge, CorpusTooLarge, StorageFull
        """
        check_media_type(request.headers.get("content-type", ""))
        self.check_size(int(request.headers.get("content-length", 0)), kind)

    def check_size(self, n_bytes: int, kind: type[Receiver]) -> None:
        """Refuse what is too large, or leaves too little space; raises as `check_announced`."""
        limit = self._max_bytes
        if n_bytes > limit:
            raise kind.too_large(f"The body has {n_bytes} bytes; this service takes {limit}.", limit_bytes=limit)
        check_space(self._storage, self._settings, n_bytes)

    async def store(
        self, key: str, body: AsyncIterator[bytes], receive: Callable[..., SomeReceiver], **how: Any
    ) -> SomeReceiver:
        """Stream the body into the object `key` through ``receive(writer, decoder, **how)``, and return that.

        After an error nothing is left of it.
        """
        async with in_threads(self._storage.writer(key)) as writer:
            limits = {
                "max_bytes": self._max_bytes,
                "max_ratio": self._settings.max_compression_ratio,
            }
            receiver = receive(writer, self._decoder, **limits, **how)
            async for piece in pieces(body):
                await run_in_threadpool(self._take, receiver, piece)
            await run_in_threadpool(receiver.finish)
            if self._digest:
                self._digest.check()
        return receiver

    def _take(self, receiver: Receiver, piece: bytes) -> None:
        if self._digest:
            self._digest.update(piece)
        check_space(self._storage, self._settings, len(piece))
        receiver.feed(piece)


@asynccontextmanager
async def in_threads(writer: AbstractContextManager[ObjectWriter]) -> AsyncIterator[ObjectWriter]:
    """Open, close, make durable or abandon an object on a thread: storage may be slow, and the loop is everybody's."""
    opened = await run_in_threadpool(writer.__enter__)
    try:
        yield opened
    except BaseException as error:
        with CancelScope(shield=True):  # what was begun is abandoned, also for a client that left
            if not await run_in_threadpool(writer.__exit__, type(error), error, error.__traceback__):
                raise
    else:
        await run_in_threadpool(writer.__exit__, None, None, None)


async def pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Network chunks, gathered so that a thread is worth its switch."""
    gathered = bytearray()
    try:
        async for chunk in body:
            gathered += chunk
            if len(gathered) >= PIECE_BYTES:
                yield bytes(gathered)
                gathered.clear()
    except ClientDisconnect as error:
        raise UploadIncomplete from error
    if gathered:
        yield bytes(gathered)
