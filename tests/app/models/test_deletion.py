"""Deleting over HTTP: what was served is served no more, and its files are gone."""

from __future__ import annotations

from typing import Any

import httpx

from tests.app.models.conftest import WORDS
from tests.published import World, random_vectors


def problem(response: httpx.Response) -> tuple[int, str]:
    body: dict[str, Any] = response.json()
    return response.status_code, body["type"]


def asked(client: httpx.Client, version: str) -> int:
    return client.get("/neighbors", params={"word": "w1", "model": "m", "version": version}).status_code


def n_tables(world: World) -> int:
    return len(list((world.folder / "storage/versions").rglob("table.safetensors")))


def test_a_version_is_gone_also_where_it_was_loaded_by_its_number(client: httpx.Client, world: World) -> None:
    assert asked(client, "1") == 200
    assert client.delete("/models/m/versions/1").status_code == 204
    assert asked(client, "1") == 404
    assert problem(client.delete("/models/m/versions/1")) == (404, "/problems/version-not-found")
    refused = client.delete("/models/m/versions/3")
    assert problem(refused) == (409, "/problems/version-in-use")
    assert refused.json()["aliases"] == ["latest"]
    assert (asked(client, "latest"), asked(client, "2"), n_tables(world)) == (200, 200, 2)


def test_an_alias_is_gone_and_its_version_stays(client: httpx.Client) -> None:
    client.put("/models/m/aliases/staging", json={"version": 2})
    assert asked(client, "staging") == 200
    stale = client.delete("/models/m/aliases/staging", headers={"If-Match": '"9"'})
    assert problem(stale) == (412, "/problems/precondition-failed")
    assert client.delete("/models/m/aliases/staging", headers={"If-Match": '"1"'}).status_code == 204
    assert (asked(client, "staging"), asked(client, "2")) == (404, 200)


def test_a_model_is_gone_with_all_it_has(client: httpx.Client, world: World) -> None:
    assert client.delete("/models/m").status_code == 204
    assert problem(client.get("/models/m")) == (404, "/problems/model-not-found")
    assert (asked(client, "latest"), asked(client, "3"), n_tables(world)) == (404, 404, 0)
    assert client.get("/models").json() == {"models": []}
    assert world.publish("m", WORDS, random_vectors(30, 4)) == 4


def test_how_much_there_is_and_how_much_is_kept(client: httpx.Client) -> None:
    (model,) = client.get("/models").json()["models"]
    details = client.get("/models/m").json()
    sizes = [version["n_bytes"] for version in details["versions"]]
    assert all(size > 1000 for size in sizes)
    assert (model["n_bytes"], model["keep_versions"]) == (sum(sizes), None)
    assert client.patch("/models/m", json={"keep_versions": 2}).json()["keep_versions"] == 2
    assert client.get("/models/m").json()["keep_versions"] == 2
    for wrong in ({"keep_versions": 0}, {"keep_versions": True}, {"name": "n"}, {}):
        assert client.patch("/models/m", json=wrong).status_code == 422
    assert client.patch("/models/m", json={"keep_versions": None}).json()["keep_versions"] is None
