"""A version whose words and vectors the tests know, served."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from app.core.table.arrays import FloatArray
from app.core.table.reading import open_table
from tests.published import World, random_vectors

WORDS = ["king", "queen", "왕", "naïve", "don't", 'quo"te', "back\\slash", "a,b", *(f"w{i}" for i in range(592))]
DIM = 24


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Version 1 of `m` is not loaded, version 2 is; version 1 of `spaced` has words with white space."""
    world = World(tmp_path_factory.mktemp("world"))
    world.publish("m", WORDS, random_vectors(len(WORDS), DIM))
    world.publish("m", WORDS, random_vectors(len(WORDS), DIM, seed=1))
    world.publish("spaced", ["milk", "whole milk", "tab\tbed"], random_vectors(3, DIM))
    yield world
    world.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        yield client


@pytest.fixture(scope="module")
def vectors(world: World) -> FloatArray:
    """Of version 2 of `m`: unit vector x length, as the table has them."""
    found = [open_table(path.parent) for path in (world.folder / "made").glob("*/manifest.json")]
    wanted = random_vectors(len(WORDS), DIM, seed=1)
    [table] = [t for t in found if t.manifest.n_words == len(WORDS) and np.allclose(t.vector(0), wanted[0])]
    vectors: FloatArray = table.unit_vectors[:] * table.norms[:, None]
    np.testing.assert_allclose(vectors, wanted, rtol=2.4e-7)
    return vectors


def exported(client: httpx.Client, format_: str, model: str = "m", version: str = "latest", **asked: str) -> bytes:
    """The body of an answer 200."""
    response = client.get(f"/models/{model}/versions/{version}/export", params={"format": format_, **asked})
    assert response.status_code == 200, response.text
    return response.content
