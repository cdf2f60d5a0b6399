"""Uploads that come in parts: nothing that was told to have come is lost, and nobody mixes bytes into another's."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from starlette.requests import ClientDisconnect, Request

from app.core.database import Database
from app.core.errors import UploadIncomplete, UploadNotFound, UploadOffsetMismatch
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.upload_records import PartialUpload, UploadPart
from app.corpora.receive import TextReceiver
from app.web import parts as parts_module
from app.web.parts import Appending, NewUploadHeaders, PartHeaders, Parts
from tests.conftest import Clock
from trainer.work.sweep import sweep

TEXT = "왕은 궁전에 산다\nthe king lives\n".encode()


def problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert (body["type"], body["status"]) == (f"/problems/{slug}", status)
    return body


def begin(client: TestClient, path: str = "/corpora/c", **headers: str) -> str:
    """Where the upload is."""
    begun = client.post(f"{path}/uploads", headers=headers)
    assert begun.status_code == 201, begun.text
    assert begun.headers["Upload-Offset"] == "0"
    return begun.headers["Location"]


def add(client: TestClient, place: str, offset: int, content: bytes, **headers: str) -> Any:
    return client.patch(place, content=content, headers={"Upload-Offset": str(offset)} | headers)


def digest_of(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def stored(settings: Settings) -> dict[str, list[bytes]]:
    root = settings.data_dir / "storage"
    found = [path for path in root.rglob("*") if path.is_file()]
    kept: dict[str, list[bytes]] = {}
    for path in sorted(found):
        kept.setdefault(path.relative_to(root).parts[0], []).append(path.read_bytes())
    return kept


@pytest.mark.parametrize("noun", ["corpora", "files"])
def test_parts_become_what_one_body_would_have(client: TestClient, settings: Settings, noun: str) -> None:
    sent, how = (gzip.compress(TEXT, mtime=0), "gzip") if noun == "corpora" else (TEXT, "identity")
    place = begin(client, f"/{noun}/왕", **{"Upload-Length": str(len(sent)), "Content-Encoding": how})
    problem(client.post(f"{place}/seal"), 400, "upload-incomplete")
    first = add(client, place, 0, sent[:20], **{"Content-Digest": digest_of(sent[:20])})
    assert (first.status_code, first.headers["Upload-Offset"], first.content) == (204, "20", b"")
    assert client.head(place).headers["Upload-Offset"] == "20"
    assert add(client, place, 20, sent[20:]).status_code == 204
    told = client.get(place)
    assert (told.json()["offset"], told.json()["length"], told.json()["is_sealed"]) == (len(sent), len(sent), False)
    assert told.headers["Upload-Limit"] == f"max-size={1 << 20}, max-age=86400"
    sealed = client.post(f"{place}/seal", headers={"Repr-Digest": digest_of(sent), "If-None-Match": "*"})
    assert (sealed.status_code, sealed.json()["sha256"]) == (201, hashlib.sha256(TEXT).hexdigest())
    assert stored(settings) == {noun: [TEXT]}
    assert client.get(f"/{noun}/왕").json() == sealed.json()
    again = client.post(f"{place}/seal")
    assert (again.status_code, again.json(), again.headers["ETag"]) == (200, sealed.json(), sealed.headers["ETag"])
    assert client.head(place).headers["Upload-Complete"] == "?1"
    problem(add(client, place, len(sent), b"more"), 409, "upload-offset-mismatch")
    assert client.delete(f"/{noun}/왕").status_code == 204
    problem(client.post(f"{place}/seal"), 404, "corpus-not-found" if noun == "corpora" else "file-not-found")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_added_changes_nothing(client: TestClient, settings: Settings) -> None:
    place = begin(client, **{"Upload-Length": "30"})
    assert add(client, place, 0, TEXT[:10]).status_code == 204
    told = problem(add(client, place, 5, TEXT[5:]), 409, "upload-offset-mismatch")
    assert (told["expected_offset"], told["provided_offset"]) == (10, 5)
    wrong = {"Content-Digest": digest_of(b"other")}
    problem(add(client, place, 10, TEXT[10:20], **wrong), 400, "digest-mismatch")
    problem(add(client, place, 10, TEXT[10:], **{"Content-Encoding": "gzip"}), 422, "invalid-request")
    problem(add(client, place, 10, TEXT[10:], **{"Content-Type": "multipart/form-data"}), 415, "form-body")
    problem(add(client, place, 10, b"x" * 21), 422, "invalid-request")
    problem(client.patch(place, content=b"x"), 422, "invalid-request")
    problem(client.get(f"{place[:-1]}x"), 422, "invalid-request")
    problem(client.get(place.replace("/corpora/c/", "/corpora/d/")), 404, "upload-not-found")
    problem(client.get(place.replace("/corpora/", "/files/")), 404, "upload-not-found")
    assert client.get(place).json()["offset"] == 10
    assert stored(settings) == {"uploads": [TEXT[:10]]}
    assert client.delete(place).status_code == 204
    assert stored(settings) == {}
    problem(add(client, place, 10, TEXT[10:]), 404, "upload-not-found")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_limits_are_those_of_a_body(client: TestClient, settings: Settings) -> None:
    problem(client.post("/corpora/c/uploads", headers={"Upload-Length": str(1 << 21)}), 413, "corpus-too-large")
    problem(client.post("/files/c/uploads", headers={"Upload-Length": str(1 << 21)}), 413, "file-too-large")
    problem(client.post("/corpora/c/uploads", headers={"Content-Encoding": "br"}), 415, "unsupported-encoding")
    problem(client.post("/corpora/c/uploads?encoding=cp94"), 422, "invalid-request")
    place = begin(client)
    assert add(client, place, 0, b"x" * (1 << 19)).status_code == 204
    problem(add(client, place, 1 << 19, b"x" * ((1 << 19) + 1)), 413, "corpus-too-large")
    full = settings.model_copy(update={"min_free_bytes": 1 << 60})
    client.app.state.settings = full  # type: ignore[attr-defined] # TestClient types its app as a bare ASGI callable
    problem(add(client, place, 1 << 19, b"x"), 507, "storage-full")
    problem(client.post("/corpora/c/uploads"), 507, "storage-full")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_text_is_refused_when_sealed_and_the_upload_stays(client: TestClient, settings: Settings) -> None:
    place = begin(client)
    add(client, place, 0, b"PK\3\4 and more")
    problem(client.post(f"{place}/seal"), 400, "corpus-not-text")
    assert stored(settings).keys() == {"uploads"}
    assert client.get("/corpora").json()["corpora"] == []
    assert add(client, place, 13, b"").headers["Upload-Offset"] == "13", "nothing more is nothing wrong"


class Service:
    """What adds to uploads, below HTTP."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self.parts = Parts(database, storage, Settings(max_corpus_bytes=1 << 20))
        how = {"encoding": "utf-8", "invalid_utf8": "reject"}
        begun = self.parts.create(TextReceiver, "c", NewUploadHeaders(), how)
        self.upload_id = asyncio.run(begun).id

    def find(self) -> PartialUpload:
        return self.parts.find("corpus", "c", self.upload_id)

    def begin(self, offset: int, **said: str) -> Appending:
        return Appending(self.parts, self.find(), TextReceiver, PartHeaders(upload_offset=offset, **said))

    def content(self) -> bytes:
        async def read() -> bytes:
            return b"".join([piece async for piece in self.parts.body(self.find())])

        return asyncio.run(read())


def request(*pieces: bytes | BaseException) -> Request:
    """A body of these pieces, as its connection gives them; an error ends it."""

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    made = Request({"type": "http", "method": "PATCH", "headers": []})
    made.stream = stream  # type: ignore[method-assign,assignment] # a stream is all that is asked of it
    return made


@pytest.fixture
def service(database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(parts_module, "PART_BYTES", 2 << 20)
    return Service(database, storage)


class Killed(BaseException):
    pass


MIB = bytes(range(256)) * 4096


def test_a_lost_connection_keeps_what_has_come(service: Service) -> None:
    service.parts.settings = Settings()
    body = MIB[1:] + MIB + MIB[:-1]
    with pytest.raises(UploadIncomplete):
        asyncio.run(service.begin(0).take(request(body, b"x" * 100, ClientDisconnect())))
    end = service.find().n_bytes
    assert 2 << 20 <= end <= len(body) + 100
    assert service.content() == (body + b"x" * 100)[:end]
    lost = request(MIB, ClientDisconnect())
    with pytest.raises(UploadIncomplete):
        asyncio.run(service.begin(end, content_digest=digest_of(MIB + MIB)).take(lost))
    assert service.find().n_bytes == end, "with a digest all is added, or nothing"
    assert asyncio.run(service.begin(end).take(request(b"end"))) == end + 3
    assert service.content() == (body + b"x" * 100)[:end] + b"end"


def test_of_two_who_send_at_once_one_is_refused(service: Service, storage: Storage) -> None:
    """Both have begun where the upload ends; the first to come to the end of a part wins."""
    slow, fast = service.begin(0), service.begin(0)

    async def both() -> None:
        async def stream() -> AsyncIterator[bytes]:
            yield b"slow"
            assert await fast.take(request(b"fast text")) == 9
            yield b" text"

        waiting = Request({"type": "http", "method": "PATCH", "headers": []})
        waiting.stream = stream  # type: ignore[method-assign,assignment] # a stream is all that is asked of it
        await slow.take(waiting)

    with pytest.raises(UploadOffsetMismatch) as caught:
        asyncio.run(both())
    assert caught.value.members == {"expected_offset": 9, "provided_offset": 0}
    assert service.content() == b"fast text"
    assert len(storage.keys("uploads")) == 1


def test_the_offset_moves_only_when_the_bytes_are_durable(
    service: Service, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed between the object and its row leaves an object that is swept."""
    asyncio.run(service.begin(0).take(request(b"first ")))
    seen: list[int] = []

    def durable(self: Storage, key: str) -> None:
        seen.append(service.find().n_bytes)
        assert self.read(key) == b"second"
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "_make_durable", durable)
        with pytest.raises(Killed):
            asyncio.run(service.begin(6).take(request(b"second")))
    assert (seen, service.find().n_bytes, service.content()) == ([6], 6, b"first ")
    asyncio.run(service.begin(6).take(request(b"third")))
    assert service.content() == b"first third"
    sweep(service.parts.database, storage, datetime.now(UTC) + timedelta(hours=2))
    assert len(storage.keys("uploads")) == 2, "the third, which nobody named, was swept"


def test_an_upload_that_nobody_goes_on_with_expires(
    service: Service, storage: Storage, database: Database, clock: Clock
) -> None:
    asyncio.run(service.begin(0).take(request(b"first ")))
    clock.advance(23.9 * 3600)
    asyncio.run(service.begin(6).take(request(b"second")))
    clock.advance(23.9 * 3600)
    sweep(database, storage, datetime.now(UTC))
    assert service.content() == b"first second", "the second part has put it off"
    clock.advance(3600)
    with pytest.raises(UploadNotFound):
        service.find()
    sweep(database, storage, datetime.now(UTC))
    assert storage.keys("uploads") == []
    with database.reading() as session:
        assert session.scalars(select(UploadPart)).all() == []
        assert session.scalars(select(PartialUpload)).all() == []
