"""An upload keeps the event loop free, and a lost object is healed by the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.core.errors import FileTooLarge
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.stored_file import ObjectWriter
from app.web.uploads import Receiver, Upload


class Watched(Storage):
    """Remembers on which threads objects are opened and closed, and whether they were abandoned."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), cache=folder / "cache")
        self.threads: list[int] = []
        self.is_abandoned = False

    @contextmanager
    def writer(self, key: str) -> Iterator[ObjectWriter]:
        self.threads.append(threading.get_ident())
        try:
            with super().writer(key) as writer:
                yield writer
        except BaseException:
            self.is_abandoned = True
            raise
        finally:
            self.threads.append(threading.get_ident())


async def body(text: bytes) -> AsyncIterator[bytes]:
    yield text


def store(storage: Storage, text: bytes, **limits: int) -> int:
    """Upload a text; the thread of the event loop."""

    async def upload() -> int:
        await Upload(storage, Settings.model_validate(limits), encoding="identity", digest=None).store(
            "corpora/x", body(text), Receiver
        )
        return threading.get_ident()

    return asyncio.run(upload())


def test_objects_are_opened_and_closed_beside_the_event_loop(tmp_path: Path) -> None:
    """Storage may take seconds for each; everybody else is answered meanwhile."""
    storage = Watched(tmp_path)
    loop = store(storage, b"some text\n")
    assert len(storage.threads) == 2
    assert loop not in storage.threads
    assert storage.keys("corpora") == ["corpora/x"]


def test_an_upload_that_is_refused_is_abandoned_beside_the_event_loop(tmp_path: Path) -> None:
    storage = Watched(tmp_path)
    with pytest.raises(FileTooLarge):
        store(storage, b"some text\n" * 10, max_corpus_bytes=10)
    assert storage.is_abandoned
    assert threading.get_ident() not in storage.threads
    assert storage.keys("corpora") == []


@pytest.mark.parametrize("noun", ["corpora", "files"])
def test_the_same_content_again_heals_a_lost_object(client: TestClient, settings: Settings, noun: str) -> None:
    assert client.put(f"/{noun}/c", content=b"one two three\n").status_code == 201
    (lost,) = [path for path in (settings.data_dir / "storage" / noun).iterdir() if path.is_file()]
    lost.unlink()
    assert client.put(f"/{noun}/c", content=b"one two three\n").status_code == 200
    assert lost.read_bytes() == b"one two three\n"
    assert client.put(f"/{noun}/c", content=b"one two three\n").status_code == 200
    assert [path for path in lost.parent.iterdir() if path.is_file()] == [lost]
