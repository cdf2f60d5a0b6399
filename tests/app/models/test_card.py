"""The card of a version: what it says, and that nothing in it is read as Markdown that was not meant so."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from app.core import catalog
from app.core.table.manifest import DerivedOrigin, StartOrigin, StepDone, VersionOrigin
from app.models.card.markdown import escaped
from tests.published import World


def origin_of(client: httpx.Client, number: int) -> VersionOrigin:
    told = client.get(f"/models/m/versions/{number}").json()
    return VersionOrigin(model="m", version=number, manifest_sha256=told["manifest_sha256"])


def derive(world: World, *parents: VersionOrigin) -> None:
    """Let the row of version 3 say that it was derived from these."""
    steps = [StepDone(step={"step": "center"}, found={"weights": "a | b"})]
    origin = DerivedOrigin(parents=list(parents), files=[], steps=steps, frequencies="counted", derived={})
    with world.database.transaction() as session:
        version = catalog.get_version(session, "m", 3)
        version.manifest = version.manifest | {"origin": origin.model_dump(mode="json")}


def test_a_card_says_where_vectors_come_from_and_what_they_are_for(client: httpx.Client) -> None:
    said = {"description": "Small *words*.", "intended_use": "Search.", "licence": "CC0"}
    assert client.patch("/models/m", json=said).json() == client.get("/models").json()["models"][0]
    text = client.get("/models/m/versions/latest/card").text
    assert text.startswith("# m@3\n\nSmall *words*.\n\n30 words of 4 dimensions, trained by word2vec, published ")
    assert "## Intended use\n\nSearch.\n\n## Limitations\n\nNobody has said.\n\n## Licence\n\nCC0\n" in text
    assert f"| manifest.json | {origin_of(client, 3).manifest_sha256} |" in text
    assert "| name | tiny |" in text
    assert client.get("/models/m/versions/1/card").text.count("Named by: no alias.") == 1


def test_the_same_as_json(client: httpx.Client) -> None:
    response = client.get("/models/m/versions/3/card", params={"format": "json"})
    assert response.headers["Content-Type"] == "application/json"
    card = response.json()
    assert card["version"] == client.get("/models/m/versions/3").json()
    assert (card["aliases"], card["geometry"]) == (["latest"], None)
    assert (card["lineage"], card["evaluations"], card["bias"]) == ([], [], [])
    assert set(card["about"].values()) == {None}


def test_lineage_goes_on_behind_the_parents(client: httpx.Client, world: World) -> None:
    first, second = origin_of(client, 1), origin_of(client, 2)
    unknown = VersionOrigin(model="gone", version=7, manifest_sha256="0" * 64)
    changed = first.model_copy(update={"manifest_sha256": "1" * 64})
    derive(world, second, unknown, changed)
    card = client.get("/models/m/versions/3/card", params={"format": "json"}).json()
    told = [(each["model"], each["version"], each["state"], each["made_of"], each["of"]) for each in card["lineage"]]
    assert told == [
        ("m", 2, "there", "tiny", "m@3"),
        ("gone", 7, "deleted", None, "m@3"),
        ("m", 1, "changed", None, "m@3"),
    ]
    text = client.get("/models/m/versions/3/card").text
    assert "| center | \\{" in text
    assert 'a \\| b"' in text


def test_a_training_that_went_on_names_its_parent(client: httpx.Client, world: World) -> None:
    start = StartOrigin(parent=origin_of(client, 1), words={"known": 30}, anchor_strength=0.5, refitted=False)
    with world.database.transaction() as session:
        version = catalog.get_version(session, "m", 3)
        origin = version.manifest["origin"] | {"start": start.model_dump(mode="json")}
        version.manifest = version.manifest | {"origin": origin}
    card = client.get("/models/m/versions/3/card", params={"format": "json"}).json()
    assert [(each["model"], each["version"], each["relation"]) for each in card["lineage"]] == [
        ("m", 1, "started from")
    ]
    assert card["version"]["start"] == start.model_dump(mode="json")


def test_what_is_said_stays_until_it_is_taken_back(client: httpx.Client) -> None:
    client.patch("/models/m", json={"limitations": "Few words.", "keep_versions": 3})
    client.patch("/models/m", json={"licence": "CC0"})
    model = client.get("/models/m").json()
    assert (model["limitations"], model["licence"], model["keep_versions"]) == ("Few words.", "CC0", 3)
    assert client.patch("/models/m", json={"limitations": None}).json()["limitations"] is None
    for wrong in ({}, {"licence": ""}, {"licence": "x" * 5_001}, {"license": "CC0"}):
        assert client.patch("/models/m", json=wrong).status_code == 422


@pytest.mark.parametrize("path", ["/models/none/versions/1/card", "/models/m/versions/9/card"])
def test_a_card_of_nothing(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get("/models/m/versions/1/card", params={"format": "pdf"}).status_code == 422


def test_values_are_no_markup() -> None:
    assert escaped("a|b\n# <i>`x`") == "a\\|b \\# \\<i\\>\\`x\\`"
    assert escaped({"a": [1]}) == '\\{"a": \\[1\\]\\}'
    assert escaped(float(np.float64(0.5))) == "0.5"
