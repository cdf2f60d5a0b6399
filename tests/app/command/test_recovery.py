"""A database that was lost is made anew from the versions that lie in storage."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, select

from app.command.recovery import recover
from app.core import catalog, names, ownership
from app.core.database import Database
from app.core.records import Alias, AliasMove, Job, Model, ModelKind, Version
from app.core.storage import Storage
from benchmarks.world import add_version
from tests.classified import WORDS as CLASSIFIED
from tests.classified import sided, train_directly
from tests.conftest import DATA
from tests.published import World, random_vectors, write_version

WORDS = [f"w{i}" for i in range(30)]


def make(database: Database, storage: Storage, folder: Path, model: str, seed: int) -> str:
    return add_version(database, storage, model, folder, write_version(folder, WORDS, random_vectors(30, 4, seed)))


def forget(database: Database) -> None:
    with database.transaction() as session:
        for record in (AliasMove, Alias, Version, Model, Job):
            session.execute(delete(record))


def test_lost_rows_are_made_anew_in_their_order(database: Database, storage: Storage, tmp_path: Path) -> None:
    ownership.claim(database, storage)
    prefixes = [make(database, storage, tmp_path / str(seed), "m", seed) for seed in range(3)]
    with database.reading() as session:
        before = {v.number: v.manifest_sha256 for v in session.scalars(select(Version))}
    forget(database)

    listed = list(recover(database, storage, only_look=True))
    assert [found.prefix for found in listed] == prefixes
    with database.reading() as session:
        assert session.scalars(select(Version)).all() == []

    found = list(recover(database, storage, model="m"))
    assert [(each.prefix, each.model, each.number) for each in found] == [
        (p, "m", n) for n, p in enumerate(prefixes, 1)
    ]
    with database.reading() as session:
        assert {v.number: v.manifest_sha256 for v in session.scalars(select(Version))} == before
        assert catalog.get_alias(session, "m", "latest").version == 3
    assert list(recover(database, storage)) == []


def test_classifiers_come_back_with_what_they_stand_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("m", CLASSIFIED, sided())
    train_directly(world)
    forget(world.database)
    found = list(recover(world.database, world.storage, model="m"))
    assert [(each.model, each.number, each.damage) for each in found] == [("m", 1, ""), ("side", 1, "")]
    with world.database.reading() as session:
        version = catalog.get_version(session, "side", 1, ModelKind.CLASSIFIER)
        base = catalog.base_of(session, version)
        assert (base.model, base.number) == ("m", 1)
    world.close()


def test_versions_that_are_known_keep_their_numbers_and_latest(
    database: Database, storage: Storage, tmp_path: Path
) -> None:
    """An older backup: version 2 came after it."""
    make(database, storage, tmp_path / "1", "m", 1)
    lost = make(database, storage, tmp_path / "2", "m", 2)
    with database.transaction() as session:
        session.execute(delete(AliasMove).where(AliasMove.version == 2))
        alias = session.get_one(Alias, ("m", "latest"))
        alias.version, alias.revision = 1, 1
        session.get_one(Model, "m").n_versions = 1
        session.flush()
        session.execute(delete(Version).where(Version.prefix == lost))
        session.execute(delete(Job).where(Job.id == names.attempt_of(lost)[0]))
    (found,) = recover(database, storage, model="m")
    assert (found.prefix, found.number) == (lost, 2)
    with database.reading() as session:
        assert catalog.get_alias(session, "m", "latest").version == 1


def test_a_damaged_version_is_named_and_left(database: Database, storage: Storage, tmp_path: Path) -> None:
    prefix = make(database, storage, tmp_path / "1", "m", 1)
    forget(database)
    table = tmp_path / "storage" / prefix / "table.safetensors"
    table.write_bytes(table.read_bytes()[:-1])
    (found,) = recover(database, storage)
    assert found.number is None
    assert "table.safetensors does not have the digest" in found.damage


def test_a_version_of_an_older_format_is_recovered(database: Database, storage: Storage) -> None:
    folder = DATA / "versions" / "format-1" / "graph"
    for name in ("table.safetensors", "index.faiss", "manifest.json"):
        storage.put_file(folder / name, f"versions/job-token/{name}")
    (found,) = recover(database, storage, model="old")
    assert (found.model, found.number) == ("old", 1)
