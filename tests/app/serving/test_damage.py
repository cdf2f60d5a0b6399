"""One bit of any file of a version, or its end, and it is refused by name: nothing wrong is ever answered."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.catalog import PublishedVersion
from app.core.errors import VersionNotLoaded
from app.core.records import Version
from app.core.table.manifest import Manifest
from app.core.table.reading import Table, read_table
from app.serving.loader import Beside, Loader
from app.serving.searchers import Searchers
from app.serving.version import ServedVersion
from tests.classified import WORDS, sided, train_directly
from tests.published import ALWAYS_GRAPH, World

N_FLIPS = 12
FILES = ["m/manifest.json", "m/table.safetensors", "m/index.faiss", "m/resources/names.txt"]
FILES += ["side/manifest.json", "side/classifier.safetensors"]


@dataclass(frozen=True)
class Published:
    """A version with a graph and a resource, and a classifier that stands on it."""

    world: World
    entries: dict[str, PublishedVersion]

    def load(self, model: str) -> None:
        """As a process does that has just begun."""
        entry = self.entries[model]
        with Searchers(1) as pool:
            opening = Loader(self.world.storage, 1 << 30, pool)
            below, _ = opening.load(self.entries["m"], Beside({}, (), {}))
            if model != "m":
                opening.load_classifier(entry, below)

    def path(self, file: str) -> Path:
        model, _, name = file.partition("/")
        return self.world.folder / "storage" / self.entries[model].prefix / name


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    world = World(tmp_path_factory.mktemp("damage"))
    world.publish("m", WORDS, sided(), limits=ALWAYS_GRAPH, resources={"resources/names.txt": b"one\ntwo\n"})
    train_directly(world)
    with closing(world.database) as database, database.reading() as session:
        versions = {row.model: row for row in session.scalars(select(Version))}
        yield Published(world, {name: PublishedVersion.of(row) for name, row in versions.items()})


def flips(n_bytes: int) -> list[Callable[[bytes], bytes]]:
    """One bit each: of the first and the last byte, and of others."""
    rng = random.Random(n_bytes)

    def flip(place: int, bit: int) -> Callable[[bytes], bytes]:
        return lambda content: content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]

    places = [0, n_bytes - 1, *(rng.randrange(n_bytes) for _ in range(N_FLIPS - 2))]
    return [flip(place, 1 << rng.randrange(8)) for place in places]


CUTS: list[Callable[[bytes], bytes]] = [
    lambda content: content[:-1],
    lambda content: content[: len(content) // 2],
    lambda _: b"",
    lambda content: content + b"\0",
    lambda content: bytes(len(content)),
]


@pytest.mark.parametrize("file", FILES)
def test_damage_before_loading_is_refused_by_the_name_of_the_file(published: Published, file: str) -> None:
    path, (model, _, name) = published.path(file), file.partition("/")
    content = path.read_bytes()
    try:
        for damage in [*flips(len(content)), *CUTS]:
            path.write_bytes(damage(content))
            with pytest.raises(VersionNotLoaded, match=name):
                published.load(model)
    finally:
        path.write_bytes(content)
    published.load(model)


def test_every_file_of_both_was_damaged(published: Published) -> None:
    there = {
        f"{model}/{path.relative_to(published.path(f'{model}/')).as_posix()}"
        for model in published.entries
        for path in published.path(f"{model}/").rglob("*")
        if path.is_file()
    }
    assert there == set(FILES)


def test_a_graph_that_changes_after_its_digest_was_verified_is_refused(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published.path("m/index.faiss")
    content = path.read_bytes()

    def and_change(folder: Path, manifest: Manifest) -> Table:
        table = read_table(folder, manifest)
        path.write_bytes(flips(len(content))[-1](content))
        return table

    monkeypatch.setattr("app.serving.loader.read_table", and_change)
    try:
        with pytest.raises(VersionNotLoaded, match=r"index\.faiss has changed since"):
            published.load("m")
    finally:
        path.write_bytes(content)


def test_what_is_loaded_answers_as_before(published: Published) -> None:
    """Of a graph and a classifier; see also `test_loader`."""
    with Searchers(1) as pool:
        opening = Loader(published.world.storage, 1 << 30, pool)
        served, _ = opening.load(published.entries["m"], Beside({}, (), {}))
        side = opening.load_classifier(published.entries["side"], served)
    before = _state(served), side.classify(["good1 good2", "bad1"])
    contents = {file: published.path(file).read_bytes() for file in FILES}
    try:
        for file, content in contents.items():
            published.path(file).write_bytes(bytes(len(content)))
        assert (_state(served), side.classify(["good1 good2", "bad1"])) == before
    finally:
        for file, content in contents.items():
            published.path(file).write_bytes(content)


def _state(served: ServedVersion) -> list[bytes]:
    directions = served.table.unit_vectors[:].astype("f8")
    return [array.tobytes() for array in served.index.nearest(directions, 10, served.index.for_words)]
