"""Copies stay within a size, and nothing that somebody uses leaves."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.cache import Cache, write_whole
from app.core.storage import Storage


def fill(cache: Cache, name: str, used_at: float) -> Path:
    """A folder of 100 bytes that was used then."""
    path = cache.hold(name)
    (path / "resources").mkdir()
    for part in (path / "table", path / "resources" / "model"):
        part.write_bytes(b"x" * 50)
    os.utime(path, (used_at, used_at))
    return path


def test_the_least_recently_used_leaves_unless_somebody_holds_it(tmp_path: Path) -> None:
    cache, others = Cache(tmp_path, 250), Cache(tmp_path, 250)
    paths = [fill(cache, f"versions/{i}", i) for i in range(4)]
    cache.shrink()
    assert (cache.n_bytes(), all(path.exists() for path in paths)) == (400, True)
    others.hold("versions/0")  # as another process, which now has used it last
    for i in range(4):
        cache.release(f"versions/{i}")
    assert [path.exists() for path in paths] == [True, False, False, True]
    assert others.n_bytes() == 200


def test_what_was_removed_by_force_is_held_anew(tmp_path: Path) -> None:
    cache, others = Cache(tmp_path, 10), Cache(tmp_path, 10)
    first = fill(cache, "versions/0", 0)
    others.remove("versions/0")
    assert not first.exists()
    fill(cache, "versions/0", 0)
    others.shrink()
    assert (first / "table").exists()


def failing(error: Exception) -> Iterator[memoryview]:
    yield memoryview(b"the beginning")
    raise error


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "table", failing(OSError("full")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by", ["the next copy", "the next who holds the folder"])
def test_a_copy_that_a_killed_process_left_is_removed(tmp_path: Path, by: str) -> None:
    """While another, which is being written, stays."""
    folder = Cache(tmp_path).hold("versions/0")
    (folder / "table.0123456789abcdef.partial").write_bytes(b"the beginning")

    def pieces() -> Iterator[memoryview]:
        yield memoryview(b"who")
        if by == "the next copy":
            write_whole(folder / "manifest", [memoryview(b"x")])
        else:
            Cache(tmp_path).hold("versions/0")
        yield memoryview(b"le")

    write_whole(folder / "table", pieces())
    assert (folder / "table").read_bytes() == b"whole"
    assert {path.name for path in folder.iterdir()} <= {"table", "manifest"}


def test_many_hold_and_remove_and_nothing_in_use_is_lost(tmp_path: Path) -> None:
    """Each thread stands for a process: a cache of its own on the same folder."""
    start = threading.Barrier(4)

    def work(seed: int) -> int:
        cache, n_made = Cache(tmp_path, 1), 0
        start.wait()
        for i in range(60):
            name = f"versions/{(seed + i) % 3}"
            path = cache.hold(name) / "table"
            if not path.exists():
                path.write_bytes(b"whole")
                n_made += 1
            assert path.read_bytes() in {b"whole", b""}, "another one may be writing it"
            cache.shrink()
            assert path.exists()
            cache.release(name)
        return n_made

    with ThreadPoolExecutor(4) as threads:
        made = [each.result() for each in [threads.submit(work, seed) for seed in range(4)]]
    assert sum(made) > 3, "none was ever removed"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_copy_goes_when_its_room_is_needed_or_its_object_is_deleted(tmp_path: Path, is_deleted: bool) -> None:
    storage = Storage("memory:///", cache=tmp_path / "cache", cache_bytes=150)
    for i in range(2):
        storage.put(b"x" * 100, f"versions/{i}/table")
    first = storage.local_folder("versions/0", ["table"])
    if is_deleted:
        storage.delete(["versions/0/table"])
    storage.release_local("versions/0")
    assert first.exists() is not is_deleted
    second = storage.local_folder("versions/1", ["table"])
    assert (first.exists(), second.exists(), storage.cached_bytes()) == (False, True, 100)
