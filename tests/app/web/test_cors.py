"""Pages of other origins: those that the setting names may ask, others not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from app.core import catalog
from tests.published import World, random_vectors

SHOP = "https://shop.example"
OTHER = "https://other.example"
WORDS = ["king", "queen", "man", "woman"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[httpx.Client]:
    """A service that the pages of the shop may ask."""
    world = World(tmp_path, cors_origins=f"{SHOP}, http://localhost:5173")
    world.publish("m", WORDS, random_vectors(len(WORDS), 8))
    with world.served() as client:
        yield client
    world.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/neighbors?word=king", 200),
        ("GET", "/neighbors?word=nobody", 404),
        ("GET", "/neighbors", 422),
        ("POST", "/neighbors", 422),
        ("GET", "/nothing", 404),
        ("PATCH", "/jobs", 405),
        ("GET", "/models/m/aliases/latest", 200),
    ],
)
def test_a_named_origin_may_read_answers_and_errors(shop: httpx.Client, method: str, path: str, status: int) -> None:
    response = shop.request(method, path, headers={"Origin": SHOP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, SHOP)
    assert "Origin" in response.headers["Vary"]
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert exposed[:5] == ["ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"]
    assert exposed[5:] == ["Upload-Complete", "Upload-Limit", "Upload-Offset", "X-Request-Id"]
    assert response.headers["X-Request-Id"]


def test_other_origins_may_not(shop: httpx.Client) -> None:
    response = shop.get("/neighbors?word=king", headers={"Origin": OTHER})
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers
    refused = shop.options("/jobs", headers={"Origin": OTHER, "Access-Control-Request-Method": "POST"})
    assert refused.status_code == 400
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_fault_of_ours_can_be_read_by_the_page(shop: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(catalog, "list_models", broken)
    response = shop.get("/models", headers={"Origin": SHOP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (500, SHOP)


@pytest.mark.parametrize(
    ("method", "header"),
    [
        ("POST", "content-type,idempotency-key"),
        ("PUT", "content-digest,content-encoding"),
        ("PUT", "if-match,content-type"),
        ("GET", "if-none-match,authorization"),
        ("GET", "last-event-id"),
        ("DELETE", "authorization"),
        ("PATCH", "content-type"),
    ],
)
def test_what_the_api_takes_may_be_sent(shop: httpx.Client, method: str, header: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
    allowed = shop.options("/models/m/aliases/latest", headers={"Origin": SHOP} | asked)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert method in allowed.headers["Access-Control-Allow-Methods"].split(", ")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_may_by_default(client: TestClient) -> None:
    response = client.get("/livez", headers={"Origin": SHOP})
    assert [name for name in response.headers if name.startswith("access-control")] == []
    assert client.options("/jobs", headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"}).status_code == 405
