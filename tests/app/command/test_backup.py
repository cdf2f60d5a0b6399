"""A backup has, for every row, its object; it goes into either database, and damage is named."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from alembic import command
from sqlalchemy import select

from app.command.archive import Head
from app.command.backup import backup
from app.command.failures import CommandFailed
from app.command.restore import MARK, restore
from app.command.rows import Line, objects_of, take
from app.command.schema import alembic_config, check_schema
from app.command.scrub import scrub, scrub_backup
from app.core import catalog, jobs, names, ownership
from app.core.catalog import corpora, files, removal
from app.core.catalog.uploads import CorpusContent, FileContent
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.records import Corpus
from app.core.settings import Settings
from app.core.storage import Storage
from benchmarks.world import add_version
from tests.app.command.conftest import typed
from tests.conftest import KINDS, empty_database
from tests.published import random_vectors, write_version

WORDS = [f"w{i}" for i in range(30)]
ignore = list[int]().append  # numbers of bytes, which nobody wants to know here


def add_corpus(database: Database, storage: Storage, name: str, content: bytes) -> str:
    key = names.new_corpus_key()
    storage.put(content, key)
    said = CorpusContent(key, hashlib.sha256(content).hexdigest(), len(content), 1, 1)
    with database.transaction() as session:
        return corpora.add(session, name, said)[0].key


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """With the clock of the machine: rows of two databases are compared."""
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def filled(database: Database, storage: Storage, tmp_path: Path) -> list[str]:
    """A database and a storage with something of each noun; the keys of its objects."""
    ownership.claim(database, storage)
    keys = [add_corpus(database, storage, "텍스트", text) for text in (b"one\n", b"two\n")]
    storage.put(b"pairs", "files/x")
    with database.transaction() as session:
        files.add(session, "pairs", FileContent("files/x", hashlib.sha256(b"pairs").hexdigest(), 5))
    for seed in range(2):
        written = write_version(tmp_path / f"made{seed}", WORDS, random_vectors(30, 4, seed))
        prefix = add_version(database, storage, "m", tmp_path / f"made{seed}", written)
        keys += [f"{prefix}/{name}" for name in ("manifest.json", *written.manifest.files)]
    with database.transaction() as session:
        jobs.submit(session, JobRequest("train", "m", {"says": "값\0", "share": 0.1}))
    return sorted([*keys, "files/x"])


@pytest.fixture
def archive(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "backup").as_uri(), cache=tmp_path / "cache")


@pytest.fixture
def other(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Settings]:
    """Where to restore: an empty database of the other kind, and an empty storage."""
    kind = next(kind for kind in KINDS if not database.url.get_backend_name().startswith(kind))
    (tmp_path / "other").mkdir()
    asked = cast("pytest.FixtureRequest", SimpleNamespace(param=kind, getfixturevalue=request.getfixturevalue))
    with empty_database(asked, tmp_path / "other") as url:
        yield Settings(data_dir=tmp_path / "other", database_url=url)


def restored(archive: Storage, settings: Settings, *, allow_missing: bool = False) -> tuple[list[Line], Storage]:
    """All rows and the storage of what was restored."""
    storage = Storage(settings.storage, cache=settings.cache)
    with closing(Database(settings.database)) as database:
        restore(archive, settings, database, storage, allow_missing=allow_missing, report=ignore)
    return rows_of(settings.database, settings.data_dir), storage


def rows_of(url: str, folder: Path) -> list[Line]:
    with closing(Database(url)) as database:
        return list(take(database, folder).lines())


def check_whole(found: list[Line], storage: Storage) -> None:
    """Every row has its objects, and there are no others."""
    named = {each.key: each.sha256 for line in found for each in objects_of(line)}
    kept = {key: hashlib.sha256(storage.read(key) or b"").hexdigest() for key in storage.keys("")}
    kept.pop(ownership.OWNER_KEY, None)
    assert kept == named


def test_a_backup_goes_into_the_other_kind_of_database(
    database: Database, storage: Storage, archive: Storage, other: Settings, filled: list[str], tmp_path: Path
) -> None:
    head = backup(database, storage, archive, ignore)
    assert (head.n_objects, head.lacking) == (len(filled), {})
    before = list(take(database, tmp_path).lines())
    found, storage_restored = restored(archive, other)
    assert found == before
    check_whole(found, storage_restored)
    check_schema(other)
    with closing(Database(other.database)) as database_restored:
        ownership.claim(database_restored, storage_restored)
        with database_restored.transaction() as session:
            assert catalog.get_alias(session, "m", "latest").version == 2
            corpora.add(session, "텍스트", CorpusContent("corpora/3", "three", 5, 1, 1))
    with pytest.raises(CommandFailed, match="database that the settings name is not empty"):
        restored(archive, other)


def test_what_is_deleted_while_objects_are_copied_is_in_no_row(
    database: Database, storage: Storage, archive: Storage, other: Settings, filled: list[str], tmp_path: Path
) -> None:
    """At the first object: version 1, a revision, and a new version that latest moves to."""
    written = write_version(tmp_path / "made", WORDS, random_vectors(30, 4, 7))
    is_done: list[bool] = []

    def change(_n_bytes: int) -> None:
        if not is_done:
            is_done.append(True)
            add_version(database, storage, "m", tmp_path / "made", written)
            with database.transaction() as session:
                prefix = removal.delete_version(session, "m", 1)
                gone = corpora.delete(session, "텍스트", 1)
            storage.delete_folder(prefix)
            storage.delete(gone)

    with database.transaction() as session:  # the job that waits would be taken for the version's
        (waiting,) = [job for job in jobs.page(session, limit=10) if job.state == "queued"]
        session.delete(waiting)
    head = backup(database, storage, archive, change)
    assert head.lacking == {}
    assert head.tables["versions"] == 2
    found, storage_restored = restored(archive, other)
    check_whole(found, storage_restored)
    assert found == list(take(database, tmp_path).lines())
    assert len(archive.keys("objects")) == head.n_objects, "what only the first rows named is gone"


def test_under_writers_every_row_of_each_backup_has_its_object(
    database: Database, storage: Storage, archive: Storage, other: Settings, tmp_path: Path
) -> None:
    add_corpus(database, storage, "first", b"text")
    is_over = threading.Event()

    def write(name: str) -> int:
        n = 0
        while not is_over.is_set():
            add_corpus(database, storage, name, secrets.token_bytes(1000))
            if n % 3 == 2:
                with database.transaction() as session:
                    gone = corpora.delete(session, name)
                storage.delete(gone)
            n += 1
        return n

    heads: list[Head] = []
    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write, name) for name in ("a", "b")]
        try:
            for _ in range(4):
                heads.append(backup(database, storage, archive, ignore))
                assert scrub_backup(archive, ignore).damaged == []
        finally:
            is_over.set()
        assert min(each.result() for each in writing) > 4
    assert [head.lacking for head in heads] == [{}] * 4
    check_whole(*restored(archive, other))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_lost_is_named_and_the_rest_is_kept(
    database: Database, storage: Storage, archive: Storage, other: Settings, filled: list[str]
) -> None:
    lost, changed = filled[0], "files/x"
    storage.delete([lost])
    storage.put(b"PAIRS", changed)
    head = backup(database, storage, archive, ignore)
    assert head.lacking == {lost: "missing", changed: "different"}
    assert head.n_objects == len(filled) - 2
    with pytest.raises(CommandFailed, match=f"2 objects are missing.*{lost}"):
        restored(archive, other)
    found, storage_restored = restored(archive, other, allow_missing=True)
    assert not {lost, changed, MARK} & set(storage_restored.keys(""))
    assert lost in {each.key for line in found for each in objects_of(line)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_damaged_backup_is_refused_before_a_row_is_written_and_then_goes_on(
    database: Database, storage: Storage, archive: Storage, other: Settings, filled: list[str], tmp_path: Path
) -> None:
    head = backup(database, storage, archive, ignore)
    whole = archive.read("objects/files/x") or b""
    archive.put(b"PAIRS", "objects/files/x")
    assert [each.damage for each in scrub_backup(archive, ignore).damaged] == ["different"]
    with pytest.raises(CommandFailed, match="no row was written"):
        restored(archive, other)
    archive.put(whole, "objects/files/x")
    check_whole(*restored(archive, other))
    rows = archive.read(head.rows_file) or b""
    archive.put(rows[:-9] + b"x" + rows[-8:], head.rows_file)
    (tmp_path / "third").mkdir()
    third = Settings(data_dir=tmp_path / "third")
    with pytest.raises(CommandFailed, match="digest it was made with"):
        restored(archive, third)
    archive.delete(["backup.json"])
    with pytest.raises(CommandFailed, match="no whole backup"):
        restored(archive, third)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_targets_that_hold_something_are_refused(
    database: Database, storage: Storage, archive: Storage, other: Settings, filled: list[str], tmp_path: Path
) -> None:
    with pytest.raises(CommandFailed, match="is no backup"):
        backup(database, storage, storage, ignore)
    backup(database, storage, archive, ignore)
    with closing(Database(other.database)) as stranger, pytest.raises(CommandFailed, match="of another database"):
        backup(stranger, Storage(other.storage, cache=other.cache), archive, ignore)
    Storage(other.storage, cache=other.cache).put(b"x", "corpora/1")
    with pytest.raises(CommandFailed, match="storage that the settings name is not empty"):
        restored(archive, other)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_older_schema_is_kept_and_brought_up_to_date(
    database: Database, storage: Storage, archive: Storage, other: Settings, tmp_path: Path
) -> None:
    before = "2026_11_25_parquet"
    key = add_corpus(database, storage, "c", b"text")
    command.downgrade(alembic_config(Settings(database_url=database.url.render_as_string(hide_password=False))), before)
    assert backup(database, storage, archive, ignore).schema_revision == before
    found, _ = restored(archive, other)
    check_schema(other)
    assert [row["key"] for table, row in found if table == "corpora"] == [key]


def test_verify_names_what_is_missing_different_or_unowned(
    database: Database, storage: Storage, filled: list[str], tmp_path: Path
) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    with database.reading() as session:
        running = next(job.id for job in jobs.page(session, limit=10) if job.state == "queued")
    storage.put(b"", names.checkpoint_key(running))
    whole = scrub(database, storage, ignore, later)
    assert (whole.n_objects, whole.damaged, whole.unowned) == (len(filled), [], [])
    assert whole.n_bytes == sum(len(storage.read(key) or b"") for key in filled)

    lost = next(key for key in filled if key.startswith("versions/") and key.endswith("manifest.json"))
    storage.delete([lost])
    storage.put(b"PAIRS", "files/x")
    storage.put(b"", "corpora/unknown")
    found = scrub(database, storage, ignore, later)
    assert {(each.key, each.damage) for each in found.damaged} == {(lost, "missing"), ("files/x", "different")}
    assert {each.owner for each in found.damaged} & {"version m@1", "version m@2"}
    assert found.unowned == ["corpora/unknown"]
    assert scrub(database, storage, ignore).unowned == [], "it may be on its way"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_commands_say_what_they_did(
    database: Database, storage: Storage, filled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDKIN_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("WORDKIN_STORAGE_URL", (tmp_path / "storage").as_uri())
    done = typed("backup", str(tmp_path / "b"), url="")
    assert (done.returncode, "2 corpora, 1 files, 2 versions, 3 jobs; 7 objects of" in done.stdout) == (0, True)
    assert (tmp_path / "b").stat().st_mode & 0o77 == 0
    assert typed("verify", "--backup", str(tmp_path / "b"), url="").returncode == 0
    wrong = typed("restore", str(tmp_path / "b"), url="")
    assert (wrong.returncode, "not empty; nothing was changed" in wrong.stderr) == (1, True)
    assert typed("restore", str(tmp_path / "none"), url="").returncode == 2
    with database.reading() as session:
        (first, *_) = session.scalars(select(Corpus.key))
    storage.delete([first])
    told = typed("verify", url="")
    assert (told.returncode, f"missing: {first} (corpus 텍스트@" in told.stdout) == (1, True)
    assert typed("backup", str(tmp_path / "b"), url="").returncode == 0, "the earlier backup has it"
    lacking = typed("backup", str(tmp_path / "new"), "--json", url="")
    assert (lacking.returncode, f"{first} is missing" in lacking.stderr) == (1, True)
