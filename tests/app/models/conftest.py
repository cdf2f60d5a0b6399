"""A model of three versions, served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(30)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    for seed in range(3):
        world.publish("m", WORDS, random_vectors(30, 4, seed))
    yield world
    world.close()


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        yield client
