"""The registry follows classifiers as it follows versions of vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.catalog import removal
from app.core.classifier.artefact import CLASSIFIER_FILE
from app.core.errors import DatabaseUnavailable
from app.core.records import ModelKind
from app.serving.classifying import ServedClassifier
from app.serving.registry import Registry
from tests.classified import WORDS, sided, train_directly
from tests.published import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Versions 1 to 3 of `m`, and `side@1` on the first."""
    world = World(tmp_path)
    for seed in range(3):
        world.publish("m", WORDS, sided(seed=seed))
    train_directly(world)
    yield world
    world.close()


def opened(world: World, n_tables: float = 10) -> Registry:
    size = max(path.stat().st_size for path in (world.folder / "storage").rglob("table.safetensors"))
    settings = world.settings.model_copy(update={"model_memory_bytes": int(n_tables * size)})
    return Registry(world.database, world.storage, settings)


def get(registry: Registry, version: str = "latest") -> ServedClassifier:
    return asyncio.run(registry.get_classifier("side", version))


def test_a_classifier_answers_with_its_version_while_the_database_is_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = opened(world)
    registry.refresh()
    assert registry.status().loaded == ["m@1", "m@3"], "what it stands on, though no alias names that"

    def down() -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(world.database, "reading", down)
    (result,) = get(registry).classify(["good1 good2"])
    assert (get(registry).below, result["label"]) == (("m", 1), "pos")
    registry.stop()


def test_what_is_damaged_is_told_and_the_last_good_one_stays(world: World) -> None:
    registry = opened(world)
    registry.refresh()
    before = set((world.folder / "storage").rglob(CLASSIFIER_FILE))
    train_directly(world)
    (new,) = set((world.folder / "storage").rglob(CLASSIFIER_FILE)) - before
    new.write_bytes(b"x" * new.stat().st_size)
    registry.refresh()
    assert "digest" in registry.status().degraded["side@latest"]
    assert get(registry).number == 1
    registry.stop()


def test_a_classifier_leaves_with_the_version_that_must_make_room_and_comes_back(world: World) -> None:
    with world.database.transaction() as session:
        removal.delete_alias(session, "side", "latest", expected=None, kind=ModelKind.CLASSIFIER)
    registry = opened(world, n_tables=2.5)
    registry.refresh()
    assert get(registry, "1").below == ("m", 1)
    registry.refresh()
    assert registry.status().loaded == ["m@1", "m@3"], "it was asked for by its number"
    asyncio.run(registry.get("m", "2"))
    assert (registry.status().loaded, dict(registry.snapshot.classifiers)) == (["m@2", "m@3"], {})
    assert get(registry, "1").classify(["bad1"])[0]["label"] == "neg"
    registry.stop()
