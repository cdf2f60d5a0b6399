"""Opening versions: files are trusted only while they are read, and copies of remote ones not even then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.core.catalog import PublishedVersion
from app.core.database import Database
from app.core.errors import VersionNotLoaded
from app.core.records import Version
from app.core.storage import Storage
from app.core.table.limits import IndexLimits
from app.serving.loader import Beside, Loader
from app.serving.searchers import Searchers
from app.serving.version import ServedVersion
from benchmarks.world import add_version
from tests.published import World, random_vectors, write_version

WORDS = [f"w{i}" for i in range(60)]
GRAPH_ALWAYS = IndexLimits("graph")


@pytest.fixture
def remote(tmp_path: Path) -> Storage:
    return Storage("memory:///", cache=tmp_path / "cache")


@pytest.fixture
def entry(tmp_path: Path, remote: Storage) -> Iterator[PublishedVersion]:
    world = World(tmp_path / "world")
    with closing(world.database) as database:
        yield published(database, remote, tmp_path / "made")


def published(
    database: Database, storage: Storage, folder: Path, limits: IndexLimits | None = None
) -> PublishedVersion:
    written = write_version(folder, WORDS, random_vectors(60, 8), limits=limits)
    prefix = add_version(database, storage, "m", folder, written)
    with database.reading() as session:
        return PublishedVersion.of(session.scalars(select(Version).where(Version.prefix == prefix)).one())


def load(storage: Storage, entry: PublishedVersion) -> ServedVersion:
    with Searchers(1) as pool:
        return Loader(storage, 1 << 30, pool).load(entry, Beside({}, (), {}))[0]


def flip(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


@pytest.mark.parametrize("name", ["table.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", [flip, lambda content: content[: len(content) // 2], lambda _: b""])
def test_a_damaged_copy_is_fetched_again(
    remote: Storage, entry: PublishedVersion, name: str, damage: Callable[[bytes], bytes]
) -> None:
    whole = load(remote, entry)
    copy = remote.local_file(f"{entry.prefix}/{name}")
    content = copy.read_bytes()
    copy.write_bytes(damage(content))
    assert load(remote, entry).table.unit_vectors[:].tobytes() == whole.table.unit_vectors[:].tobytes()
    assert copy.read_bytes() == content


def test_what_is_damaged_in_storage_is_refused(remote: Storage, entry: PublishedVersion) -> None:
    key = f"{entry.prefix}/table.safetensors"
    remote.put(flip(remote.read(key) or b""), key)
    with pytest.raises(VersionNotLoaded, match="does not have the digest"):
        load(remote, entry)


@pytest.mark.parametrize("limits", [None, GRAPH_ALWAYS], ids=["scan", "graph"])
@pytest.mark.parametrize("damage", [b"", b"\xff" * 100_000], ids=["cut", "overwritten"])
def test_what_happens_to_files_changes_nothing_that_is_loaded(
    tmp_path: Path, damage: bytes, limits: IndexLimits | None
) -> None:
    world = World(tmp_path)
    with closing(world.database) as database:
        served = load(world.storage, published(database, world.storage, tmp_path / "made", limits))
    assert (served.index.graph is None) == (limits is None)
    directions = served.table.unit_vectors[:].astype(np.float64)

    def answers() -> list[bytes]:
        ids, scores = served.index.nearest(directions, 10, served.index.for_words)
        return [ids.tobytes(), scores.tobytes(), served.table.arrays["word_bytes"].tobytes()]

    before = answers()
    for path in (tmp_path / "storage" / served.prefix).iterdir():
        with path.open("r+b") as file:  # in place, as nothing of ours does
            if not damage:
                file.truncate(0)
            file.write(damage)
    assert answers() == before


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def overwrite(path: Path) -> None:
    path.write_bytes(b"{")


@pytest.mark.parametrize("name", ["manifest.json", "table.safetensors", "index.faiss"])
@pytest.mark.parametrize("harm", [remove, make_folder, overwrite])
def test_what_is_told_names_the_file_and_no_path(tmp_path: Path, name: str, harm: Callable[[Path], None]) -> None:
    world = World(tmp_path)
    with closing(world.database) as database:
        entry = published(database, world.storage, tmp_path / "made", GRAPH_ALWAYS)
    harm(tmp_path / "storage" / entry.prefix / name)
    with pytest.raises(VersionNotLoaded, match=name) as caught:
        load(world.storage, entry)
    assert str(tmp_path) not in caught.value.detail


def test_copies_of_what_is_loaded_stay_beyond_the_limit(tmp_path: Path) -> None:
    remote = Storage("memory:///", cache=tmp_path / "cache", cache_bytes=1)
    world = World(tmp_path / "world")
    with closing(world.database) as database, Searchers(1) as pool:
        loader = Loader(remote, 1 << 30, pool)
        both = [
            loader.load(published(database, remote, tmp_path / name), Beside({}, (), {}))[0] for name in ("one", "two")
        ]
        assert all((served.table.folder / "table.safetensors").exists() for served in both)
        loader.forget(both[:1])
        assert [served.table.folder.exists() for served in both] == [False, True]
