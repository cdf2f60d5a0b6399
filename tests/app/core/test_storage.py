"""The same promises on a local folder and on a real S3 server."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.command.archive import copied
from app.command.rows import NamedObject
from app.core.errors import StorageUnavailable
from app.core.storage import CREDENTIALS, Storage
from tests.object_store import BUCKET, make_bucket, s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        make_bucket(environment)
        yield environment


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "local":
        return Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return Storage(f"s3://{BUCKET}/{tmp_path.name}", cache=tmp_path / "cache")


def test_what_was_streamed_in_comes_out(storage: Storage) -> None:
    data = os.urandom(20 << 20)
    with storage.writer("corpora/big") as writer:
        for start in range(0, len(data), 1 << 20):
            writer.write(data[start : start + (1 << 20)])
        assert not storage.exists("corpora/big")
    assert b"".join(storage.stream("corpora/big")) == data
    assert storage.local_file("corpora/big").read_bytes() == data


def test_a_store_that_answers_passes_its_check(storage: Storage) -> None:
    storage.check()


def test_a_store_that_is_not_there_fails_its_check(
    s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageUnavailable, match="404 Not Found"):
        Storage("s3://no-such-bucket/x", cache=tmp_path / "cache").check()
    local = Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
    (tmp_path / "storage").rmdir()
    with pytest.raises(StorageUnavailable):
        local.check()


def test_a_store_that_refuses_credentials_names_their_variables(
    s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    named = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_ALLOW_HTTP"
    with pytest.raises(StorageUnavailable, match=rf"403.*Its credentials come from {named}\.$"):
        Storage(f"s3://{BUCKET}/x", cache=tmp_path / "cache").check()
    for name in CREDENTIALS["az"]:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StorageUnavailable, match=r"\(not set: AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, "):
        Storage("az://container/x", cache=tmp_path / "cache")


def test_an_aborted_stream_leaves_nothing(storage: Storage) -> None:
    class Aborted(Exception):
        pass

    def abort() -> None:
        with storage.writer("corpora/aborted") as writer:
            writer.write(b"x" * (20 << 20))
            raise Aborted

    with pytest.raises(Aborted):
        abort()
    assert storage.keys("corpora") == []


def test_a_key_is_created_once(storage: Storage) -> None:
    assert storage.put_new(b"first", "versions/1/manifest.json") is True
    assert storage.put_new(b"second", "versions/1/manifest.json") is False
    assert b"".join(storage.stream("versions/1/manifest.json")) == b"first"


def test_a_store_that_does_not_answer_is_told_from_one_that_says_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        for name, value in {"ALLOW_HTTP": "true", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        storage = Storage(f"s3://{BUCKET}/x", cache=tmp_path / "cache")
        with pytest.raises(StorageUnavailable):
            storage.keys("versions")
    local = Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
    assert not local.exists("versions/1/manifest.json")


def test_a_folder_becomes_local_files(storage: Storage, tmp_path: Path) -> None:
    for name in ("table", "index"):
        (tmp_path / name).write_bytes(name.encode())
        storage.put_file(tmp_path / name, f"versions/1/{name}")
    folder = storage.local_folder("versions/1", ["table", "index"])
    assert [(folder / name).read_text() for name in ("table", "index")] == ["table", "index"]
    storage.forget_local("versions/1")
    assert storage.keys("versions/1") == ["versions/1/index", "versions/1/table"]


def test_keys_are_listed_by_age_and_deleted(storage: Storage) -> None:
    for key in ("a/1", "a/2", "b/1"):
        storage.put_new(b"x", key)
    now = datetime.now(UTC)
    assert storage.keys("a") == ["a/1", "a/2"]
    assert storage.keys("a", modified_before=now - timedelta(hours=1)) == []
    assert storage.keys("a", modified_before=now + timedelta(hours=1)) == ["a/1", "a/2"]
    storage.delete(["a/1", "a/missing"])
    assert storage.keys("a") == ["a/2"]
    assert storage.exists("a/2")
    assert not storage.exists("a/1")


def test_objects_are_copied_whole_or_not_at_all(storage: Storage, tmp_path: Path) -> None:
    """As backups do, in both directions."""
    content = os.urandom(9 << 20)
    storage.put(content, "files/1")
    expected = NamedObject("files/1", hashlib.sha256(content).hexdigest(), len(content), "file x@1")
    folder = Storage((tmp_path / "backup").as_uri(), cache=tmp_path / "cache")
    n_read: list[int] = []
    assert copied(storage, "files/1", folder, "objects/files/1", expected, n_read.append) is None
    assert (folder.read("objects/files/1"), sum(n_read)) == (content, len(content))
    storage.put(content[:-1] + b"?", "files/1")
    assert copied(storage, "files/1", folder, "objects/files/2", expected, n_read.append) == "different"
    assert copied(storage, "files/2", folder, "objects/files/2", expected, n_read.append) == "missing"
    assert folder.keys("objects") == ["objects/files/1"]
    assert copied(folder, "objects/files/1", storage, "files/1", expected, n_read.append) is None
    assert storage.read("files/1") == content, "what was there was damaged, and is replaced"
    folder.put(b"", "objects/files/1")
    assert copied(folder, "objects/files/1", storage, "files/3", expected, n_read.append) == "different"
    assert storage.keys("files") == ["files/1"]


def test_what_the_disk_does_not_keep_is_not_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is anything left of an upload."""
    storage = Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def upload() -> None:
        with storage.writer("corpora/new") as writer:
            writer.write(b"text")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        for act in (upload, lambda: storage.put(b"text", "corpora/other"), lambda: storage.put_new(b"text", "new")):
            with pytest.raises(StorageUnavailable, match="Input/output error"):
                act()
    assert not storage.exists("corpora/new")
    upload()
    assert storage.read("corpora/new") == b"text"


def test_a_remote_store_that_is_gone_while_it_is_written_to_is_unavailable(tmp_path: Path) -> None:
    """The library's writer says so by an error of the system."""

    class Gone:
        def close(self) -> None:
            raise OSError("Generic S3 error: error sending request")

    storage = Storage("memory:///", cache=tmp_path / "cache")
    with pytest.raises(StorageUnavailable), storage.writer("corpora/new") as writer:
        writer._writer = Gone()  # type: ignore[assignment] # what it is called with
    assert not storage.exists("corpora/new")
