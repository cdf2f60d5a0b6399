from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.core.records import Version
from app.core.table.manifest import MANIFEST_FILE, Written, read_manifest
from benchmarks.world import add_version
from tests.app.core.table.test_golden import VERSIONS
from tests.published import World


def move(client: httpx.Client, alias: str, version: int, if_match: str | None = None) -> httpx.Response:
    headers = {"If-Match": if_match} if if_match else {}
    return client.put(f"/models/m/aliases/{alias}", json={"version": version}, headers=headers)


def served_version(client: httpx.Client, alias: str = "latest") -> int:
    number: int = client.get("/neighbors", params={"word": "w1", "version": alias}).json()["version"]
    return number


def test_models_and_versions(client: httpx.Client) -> None:
    (model,) = client.get("/models").json()["models"]
    assert (model["name"], model["n_versions"], model["aliases"], model["degraded"]) == ("m", 3, {"latest": 3}, {})
    assert model["loaded"] == [3]
    details = client.get("/models/m").json()
    assert [version["version"] for version in details["versions"]] == [3, 2, 1]
    assert details["versions"][0]["n_words"] == 30


def test_a_version_tells_where_it_comes_from_and_what_was_measured(client: httpx.Client) -> None:
    response = client.get("/models/m/versions/2")
    body: dict[str, Any] = response.json()
    assert (body["model"], body["version"], body["dim"], body["corpus"]["name"]) == ("m", 2, 4, "tiny")
    assert body["index"]["kind"] == "flat"
    assert body["index"]["recall_at_10"] == 1.0
    assert body["metrics"]["hubness"]["k"] == 10
    assert body["metrics"]["neighbors"]["n_words"] == 30
    assert body["text"]["case"] == "lower"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/models/x", 404), ("/models/m/versions/4", 404), ("/models/m/versions/0", 422), ("/models/m/aliases/x", 404)],
)
def test_what_is_not_there(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_rolling_back_is_one_call_and_at_once(client: httpx.Client) -> None:
    assert served_version(client) == 3
    response = move(client, "latest", 1, "*")
    assert response.status_code == 200
    assert response.json()["version"] == 1
    assert served_version(client) == 1, "this process serves it as soon as it has said so"
    history = client.get("/models/m/aliases/latest").json()["history"]
    assert [entry["version"] for entry in history] == [1, 3, 2, 1]
    assert [entry["job_id"] is None for entry in history] == [True, False, False, False]


def test_if_match_guards_the_move(client: httpx.Client) -> None:
    etag = client.get("/models/m/aliases/latest").headers["etag"]
    assert move(client, "latest", 1).status_code == 428
    moved = move(client, "latest", 2, etag)
    assert moved.status_code == 200
    assert moved.headers["etag"] != etag
    stale = move(client, "latest", 1, etag)
    assert (stale.status_code, stale.json()["revision"]) == (412, 5 - 1)
    assert move(client, "latest", 1, '"x"').status_code == 422
    assert served_version(client) == 2
    assert move(client, "latest", 1, moved.headers["etag"]).status_code == 200


def test_a_new_alias_needs_no_precondition_but_a_right_one(client: httpx.Client) -> None:
    assert move(client, "production", 2, '"1"').status_code == 412
    assert move(client, "production", 2, "*").status_code == 412
    assert move(client, "production", 2).status_code == 200
    assert served_version(client, "production") == 2
    aliases = client.get("/models/m/aliases").json()["aliases"]
    assert {alias["alias"]: alias["version"] for alias in aliases} == {"latest": 3, "production": 2}


@pytest.mark.parametrize("alias", ["v3", "12"])
def test_names_that_read_as_numbers_are_reserved(client: httpx.Client, alias: str) -> None:
    assert move(client, alias, 1).json()["type"] == "/problems/alias-reserved"


def test_an_alias_cannot_point_nowhere(client: httpx.Client) -> None:
    assert move(client, "latest", 9, "*").status_code == 404
    assert client.put("/models/x/aliases/a", json={"version": 1}).status_code == 404
    assert client.put("/models/m/aliases/a", json={"version": 1, "more": 1}).status_code == 422
    assert client.put("/models/m/aliases/a", json={"version": True}).status_code == 422
    assert client.put("/models/m/aliases/a b", json={"version": 1}).status_code == 422


def test_a_version_of_an_older_format_is_served_and_described(tmp_path: Path) -> None:
    """Its row holds the manifest as that release wrote it."""
    world, folder = World(tmp_path), VERSIONS / "format-1" / "graph-with-vectors"
    content = (folder / MANIFEST_FILE).read_bytes()
    prefix = add_version(world.database, world.storage, "old", folder, Written(read_manifest(folder), content))
    with world.database.transaction() as session:
        session.execute(update(Version).where(Version.prefix == prefix).values(manifest=json.loads(content)))
    with world.served() as client:
        described = client.get("/models/old/versions/1").json()
        assert (described["format_version"], described["origin"]) == (1, "trained")
        assert (described["algorithm"], described["corpus"]["name"], described["counts_known"]) == (
            "word2vec",
            "tiny",
            True,
        )
        assert client.get("/models/old").json()["versions"][0]["n_words"] == 40
        answer = client.get("/neighbors", params={"model": "old", "word": "왕", "k": 2}).json()
        assert (answer["version"], answer["word"], len(answer["neighbors"])) == (1, "왕", 2)
    world.close()
