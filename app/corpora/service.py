"""Upload and deletion: storage first, then the row that names it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import http_sf
import structlog
from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.core.catalog import corpora
from app.core.catalog.corpora import CorpusContent, Expected
from app.core.database import Database
from app.core.errors import (
    BadDigest,
    CorpusNotFound,
    CorpusTooLarge,
    DigestMismatch,
    FormBody,
    InvalidRequest,
    StorageFull,
    UploadIncomplete,
)
from app.core.records import Corpus
from app.core.settings import Settings
from app.core.storage import ObjectWriter, Storage
from app.core.text import TextSpec
from app.core.text.sample import SAMPLE_BYTES, read_sample
from app.corpora.decode import TextDecoder
from app.corpora.decompress import PIECE_BYTES, decoder_for
from app.corpora.receive import Receiver
from app.corpora.schemas import CorpusPreview

if TYPE_CHECKING:
    from hashlib import _Hash

ALGORITHMS = ("sha-256", "sha-512")
PREVIEW_LINES = 10
MAX_SHOWN_WORDS = 100
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}

logger = structlog.get_logger()


def check_media_type(content_type: str) -> None:
    """Raise `FormBody` for what HTTP clients make of a file or of data unless they are told to send the text."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in FORMS:
        raise FormBody(
            f"The body is sent as {media_type}, so that it is not the text itself: use curl -T FILE URL; other clients "
            "send the bytes with Content-Type: text/plain.",
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


class Upload:
    """One body on its way into storage."""

    def __init__(self, storage: Storage, settings: Settings, *, encoding: str, digest: str | None) -> None:
        self._storage = storage
        self._settings = settings
        self._decoder = decoder_for(encoding)
        self._digest = StatedDigest(digest) if digest else None

    def check_announced(self, n_bytes: int | None) -> None:
        """Refuse by the announced size before anything is read.

        Raises
        ------
        CorpusTooLarge, StorageFull
        """
        limit = self._settings.max_corpus_bytes
        if n_bytes is not None and n_bytes > limit:
            raise CorpusTooLarge(f"The body has {n_bytes} bytes; this service takes {limit}.", limit_bytes=limit)
        self._check_space(n_bytes or 0)

    def _check_space(self, n_bytes: int) -> None:
        free = self._storage.free_bytes()
        floor = self._settings.min_free_bytes
        if free is not None and free - n_bytes < floor:
            raise StorageFull(
                f"{free} bytes are free; storing {n_bytes} would leave less than {floor}.", free_bytes=free
            )

    async def store(self, key: str, body: AsyncIterator[bytes], text: TextDecoder) -> CorpusContent:
        """Stream the body into the object `key`; after an error nothing is left of it."""
        async with _in_threads(self._storage.writer(key)) as writer:
            receiver = Receiver(
                writer,
                self._decoder,
                text,
                max_bytes=self._settings.max_corpus_bytes,
                max_ratio=self._settings.max_compression_ratio,
            )
            async for piece in _pieces(body):
                await run_in_threadpool(self._take, receiver, piece)
            await run_in_threadpool(receiver.finish)
            if self._digest:
                self._digest.check()
        return CorpusContent(key, receiver.sha256, receiver.n_bytes, receiver.n_lines, receiver.n_words)

    def _take(self, receiver: Receiver, piece: bytes) -> None:
        if self._digest:
            self._digest.update(piece)
        self._check_space(len(piece))
        receiver.feed(piece)


@asynccontextmanager
async def _in_threads(writer: AbstractContextManager[ObjectWriter]) -> AsyncIterator[ObjectWriter]:
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


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
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


def name_upload(
    database: Database,
    storage: Storage,
    name: str,
    content: CorpusContent,
    expected: Collection[str] | Expected | None = None,
) -> tuple[Corpus, bool]:
    """Make an upload the next revision of a corpus; it is deleted again if the newest one has this content."""
    is_new = False
    try:
        with database.transaction() as session:
            corpus, is_new = corpora.add(session, name, content, expected=expected)
        if not is_new and not storage.exists(corpus.key):
            storage.move(content.key, corpus.key)  # the object was lost: this heals it
            logger.warning("corpus healed", action="corpus_healed", corpus=name, key=corpus.key)
    finally:
        if not is_new:
            storage.delete([content.key])
    told = {"corpus": name, "revision": corpus.revision, "n_bytes": content.n_bytes, "is_new": is_new}
    logger.info("corpus stored", action="corpus_stored", **told)
    return corpus, is_new


def expected_of(if_match: str | None, if_none_match: str | None) -> Collection[str] | Expected | None:
    """What the headers of an upload say of the corpus as it is."""
    if if_none_match is not None:
        if if_match is not None or if_none_match.strip() != "*":
            raise InvalidRequest("If-None-Match must be *, and stand without If-Match.", if_none_match=if_none_match)
        return Expected.NONE
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return Expected.ANY
    return {tag.strip().strip('"') for tag in if_match.split(",")}


def preview(corpus: Corpus, spec: TextSpec, storage: Storage) -> CorpusPreview:
    """How the first lines of a corpus will be read, at most `MAX_SHOWN_WORDS` words of each."""
    n_bytes = min(corpus.n_bytes, SAMPLE_BYTES)
    content = storage.beginning(corpus.key, n_bytes)
    if content is None:
        raise CorpusNotFound(f"The text of {corpus.name!r} is not in storage; upload it again.", corpus=corpus.name)
    sample = read_sample(content, spec, is_whole=n_bytes == corpus.n_bytes, n_lines=PREVIEW_LINES)
    lines = [words[:MAX_SHOWN_WORDS] for words in sample.lines]
    return CorpusPreview.model_validate({"corpus": corpus.name, "text": spec, **sample._asdict(), "lines": lines})


def delete(database: Database, storage: Storage, name: str, revision: int | None = None) -> None:
    """Delete a corpus, or an older revision of it, that no unfinished job reads; versions trained on it stay."""
    with database.transaction() as session:
        keys = corpora.delete(session, name, revision)
    storage.delete(keys)
    logger.info("corpus deleted", action="corpus_deleted", corpus=name, revision=revision)
