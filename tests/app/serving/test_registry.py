from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import (
    DatabaseUnavailable,
    ModelNotFound,
    ModelRequired,
    VersionNotFound,
    VersionNotLoaded,
    WordkinError,
)
from app.core.names import pinned_number
from app.serving.registry import Registry
from app.serving.version import ServedVersion
from tests.published import World, random_vectors, wait_until

WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def registry(world: World) -> Iterator[Registry]:
    """Polled by the tests alone."""
    registry = Registry(world.database, world.storage, world.settings)
    yield registry
    registry.stop()


def get(registry: Registry, model: str | None = None, version: str = "latest") -> ServedVersion:
    return asyncio.run(registry.get(model, version))


def refused(registry: Registry, model: str | None = None, version: str = "latest") -> WordkinError:
    with pytest.raises(WordkinError) as caught:
        get(registry, model, version)
    return caught.value


def publish(world: World, model: str = "m", seed: int = 0, n_words: int = 60) -> int:
    return world.publish(model, WORDS[:n_words], random_vectors(n_words, 8, seed))


def damage(world: World) -> None:
    """Flip a bit in the newest table."""
    newest = max((world.folder / "storage").rglob("table.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(newest.read_bytes())
    content[-20] ^= 1
    newest.write_bytes(content)


@pytest.mark.parametrize(
    ("version", "number"),
    [("3", 3), ("v3", 3), ("latest", None), ("v", None), ("", None), ("-1", None), ("٣", None), ("9" * 30, None)],
)
def test_what_is_a_number(version: str, number: int | None) -> None:
    assert pinned_number(version) == number


def test_follows_the_aliases(world: World, registry: Registry) -> None:
    publish(world)
    registry.refresh()
    assert get(registry).number == 1
    publish(world, seed=1)
    assert get(registry).number == 1, "until the next poll"
    registry.refresh()
    assert get(registry).number == 2
    world.move("m", "latest", 1)
    world.move("m", "old", 2)
    registry.refresh()
    assert (get(registry).number, get(registry, "m", "old").number) == (1, 2)
    assert registry.snapshot.aliases == {("m", "latest"): 1, ("m", "old"): 2}


def test_polls_by_itself(world: World, registry: Registry) -> None:
    registry.start()
    publish(world)
    wait_until(lambda: registry.status().loaded)
    assert registry.status().is_ready


def test_what_was_just_published_is_found_before_the_poll(world: World, registry: Registry) -> None:
    registry.refresh()
    assert isinstance(refused(registry), ModelNotFound)
    publish(world)
    assert get(registry, "m").number == 1


def test_default_model(world: World, registry: Registry) -> None:
    publish(world, "a")
    registry.refresh()
    assert get(registry).model == "a"
    publish(world, "b")
    registry.refresh()
    error = refused(registry)
    assert isinstance(error, ModelRequired)
    assert error.members == {"models": ["a", "b"]}
    chosen = Registry(world.database, world.storage, world.settings.model_copy(update={"default_model": "b"}))
    chosen.refresh()
    assert get(chosen).model == "b"
    chosen.stop()


def test_a_name_that_may_be_meant_is_told(world: World, registry: Registry) -> None:
    publish(world, "bible")
    registry.refresh()
    assert refused(registry, "bilbe").detail == "There is no model 'bilbe'; did you mean 'bible'?"
    assert refused(registry, "kings").detail == "There is no model 'kings'."


def test_unknown_names(world: World, registry: Registry) -> None:
    publish(world)
    registry.refresh()
    assert isinstance(refused(registry, "x"), ModelNotFound)
    assert isinstance(refused(registry, "x", "1"), ModelNotFound)
    assert isinstance(refused(registry, "m", "prod"), VersionNotFound)
    assert isinstance(refused(registry, "m", "2"), VersionNotFound)
    assert isinstance(refused(registry, "m", "9" * 30), VersionNotFound)


def test_a_failed_load_keeps_the_last_good_version_and_says_so(world: World, registry: Registry) -> None:
    publish(world)
    registry.refresh()
    publish(world, seed=1)
    damage(world)
    registry.refresh()
    assert get(registry).number == 1
    assert "digest" in registry.status().degraded["m@latest"]
    assert isinstance(refused(registry, "m", "2"), VersionNotLoaded)
    publish(world, seed=2)
    registry.refresh()
    assert get(registry).number == 3
    assert registry.status().degraded == {}


def test_a_damaged_first_version_is_an_error_not_a_crash(world: World, registry: Registry) -> None:
    publish(world)
    damage(world)
    registry.refresh()
    assert registry.status().is_ready
    assert isinstance(refused(registry, "m"), VersionNotLoaded)


def test_damaged_versions_are_not_read_again_at_every_poll(
    world: World, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world)
    damage(world)
    opened: list[object] = []

    def fail(*arguments: object) -> None:
        opened.append(arguments)
        raise OSError("not there")

    monkeypatch.setattr("app.serving.loader.read_manifest", fail)
    for _ in range(5):
        registry.refresh()
    assert len(opened) == 1
    assert "m@latest" in registry.status().degraded


def test_loaded_versions_are_served_while_the_database_is_down(
    world: World, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world)
    registry.refresh()

    def down() -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(world.database, "reading", down)
    with pytest.raises(DatabaseUnavailable):
        registry.refresh()
    assert get(registry).number == 1
    assert get(registry, "m", "1").number == 1
    assert isinstance(refused(registry, "m", "2"), DatabaseUnavailable)


def test_versions_without_an_alias_are_loaded_on_demand(world: World, registry: Registry) -> None:
    publish(world)
    publish(world, seed=1)
    registry.refresh()
    assert registry.status().loaded == ["m@2"]
    assert get(registry, "m", "1").number == 1
    assert get(registry, "m", "v1") is get(registry, "m", "1")
    registry.refresh()
    assert registry.status().loaded == ["m@1", "m@2"]


def test_the_longest_unasked_leaves_when_memory_is_short(world: World) -> None:
    for seed in range(4):
        publish(world, seed=seed)
    size = max(path.stat().st_size for path in (world.folder / "storage").rglob("table.safetensors"))
    registry = Registry(
        world.database, world.storage, world.settings.model_copy(update={"model_memory_bytes": int(3.5 * size)})
    )
    registry.refresh()
    for number in "1", "2", "1", "3":
        get(registry, "m", number)
    assert registry.status().loaded == ["m@1", "m@3", "m@4"]
    registry.stop()


def test_what_an_alias_names_never_leaves_and_what_cannot_fit_is_refused(world: World) -> None:
    publish(world, "pinned")
    publish(world, "m")
    publish(world, "m", seed=1)
    size = max(path.stat().st_size for path in (world.folder / "storage").rglob("table.safetensors"))
    registry = Registry(
        world.database, world.storage, world.settings.model_copy(update={"model_memory_bytes": int(2.5 * size)})
    )
    registry.refresh()
    error = refused(registry, "m", "1")
    assert isinstance(error, VersionNotLoaded)
    assert "WORDKIN_MODEL_MEMORY_BYTES" in error.detail
    assert registry.status().loaded == ["m@2", "pinned@1"]
    registry.stop()


def test_an_alias_can_move_although_two_versions_do_not_fit(world: World) -> None:
    """Availability first: old and new are both there for a moment."""
    publish(world)
    size = max(path.stat().st_size for path in (world.folder / "storage").rglob("table.safetensors"))
    registry = Registry(
        world.database, world.storage, world.settings.model_copy(update={"model_memory_bytes": int(1.5 * size)})
    )
    registry.refresh()
    publish(world, seed=1)
    registry.refresh()
    assert registry.status().loaded == ["m@2"]
    assert registry.status().degraded == {}
    registry.stop()


def test_versions_that_nobody_names_or_holds_are_let_go_at_once(world: World, registry: Registry) -> None:
    """Without waiting for the cyclic garbage collector, whose runs would keep megabytes in memory."""
    publish(world)
    registry.refresh()
    old = weakref.ref(get(registry))
    gc.collect()
    gc.disable()
    try:
        publish(world, seed=1)
        registry.refresh()
        assert get(registry).number == 2
        assert old() is None
    finally:
        gc.enable()


def test_a_request_keeps_the_version_it_began_with(world: World, registry: Registry) -> None:
    publish(world)
    registry.refresh()
    held = get(registry)
    before = held.table.unit_vectors[:].tobytes()
    publish(world, seed=1)
    registry.refresh()
    assert get(registry) is not held
    assert held.table.unit_vectors[:].tobytes() == before


def test_the_last_good_version_stays_when_memory_is_short_and_the_next_is_damaged(world: World) -> None:
    """Also if somebody has asked for it by its number, which makes it one of those that may leave."""
    publish(world)
    size = max(path.stat().st_size for path in (world.folder / "storage").rglob("table.safetensors"))
    registry = Registry(
        world.database, world.storage, world.settings.model_copy(update={"model_memory_bytes": int(1.5 * size)})
    )
    registry.refresh()
    assert get(registry, "m", "1").number == 1
    publish(world, seed=1)
    damage(world)
    registry.refresh()
    assert get(registry).number == 1
    assert "digest" in registry.status().degraded["m@latest"]
    registry.stop()


def test_what_was_published_a_moment_ago_is_found_at_once(world: World, registry: Registry) -> None:
    """However short ago the last look was: it began before the question."""
    for number in range(1, 6):
        registry.refresh()
        publish(world, f"m{number}")
        assert get(registry, f"m{number}").number == 1
