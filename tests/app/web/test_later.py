"""Routes that a process does not start with: there as soon as somebody asks for one, and imported no sooner."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from app import __main__ as start
from app.core.parent import FLAG
from app.main import create_app
from app.web import keys
from app.web.keys import Doors
from tests.published import World, random_vectors

NOT_AT_THE_START = {
    *("app.routes", "app.corpora.endpoints", "app.files.endpoints", "app.jobs.endpoints", "app.models.endpoints"),
    *("app.classifiers.endpoints", "app.keys.endpoints", "app.webhooks.endpoints", "app.console.endpoints"),
    *("app.search.weat", "app.core.payloads", "app.core.steps", "app.core.evaluation", "app.core.classifier.artefact"),
    *("alembic", "faiss", "httpx", "limits", "pandas", "psycopg", "rich", "scipy", "sklearn", "tokenizers", "typer"),
}
START = """
import json, sys
from app import tuning
tuning.for_start()
import app.resources, app.main, app.web.server
print(json.dumps(sorted(sys.modules)))
"""


def test_what_a_search_does_not_need_is_not_imported_at_the_start() -> None:
    """Time to the first answer and memory at rest are these modules; the benchmark tells how much."""
    told = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True).stdout
    assert set(json.loads(told)) & NOT_AT_THE_START == set()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    world = World(tmp_path)
    world.publish("m", [f"w{i}" for i in range(20)], random_vectors(20, 8))
    app = create_app(world.settings)
    with TestClient(app, "http://127.0.0.1") as client:
        app.state.registry.refresh()
        app.state.keyring.refresh()
        yield client
    world.close()


@pytest.mark.parametrize("has_trainer", [False, True])
def test_an_api_that_a_trainer_starts_beside_has_all_routes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_trainer: bool
) -> None:
    """Its first upload need not wait for them: 0.4 s, while the trainer still imports."""
    served: list[FastAPI] = []
    monkeypatch.setattr(sys, "argv", ["app", *([FLAG] if has_trainer else [])])
    monkeypatch.setenv("WORDKIN_DATA_DIR", str(tmp_path))
    for name in ("app.tuning.for_start", "app.tuning.for_serving", "app.core.parent.end_with_parent"):
        monkeypatch.setattr(name, lambda: None)
    monkeypatch.setattr("app.web.server.serve", lambda app, _: served.append(app))
    start.main()
    paths = {route.path for route in iter_route_contexts(served[0].router.routes)}
    assert ("/jobs" in paths) is has_trainer
    with TestClient(served[0]):  # at whose end it closes what it opened
        pass


def routes(client: TestClient) -> list[BaseRoute]:
    found: list[BaseRoute] = client.app.router.routes  # type: ignore[attr-defined] # it is told as any ASGI application
    return found


def test_searches_and_health_need_none_of_the_others(client: TestClient) -> None:
    n_routes = len(routes(client))
    for path in ("/neighbors?word=w1", "/odd-one-out?word=w1&word=w2&word=w3", "/livez", "/readyz", "/metrics"):
        assert client.get(path).status_code == 200, path
    assert client.post("/similarity", json={"queries": [{"a": "w1", "b": "w2"}]}).status_code == 200
    assert len(routes(client)) == n_routes
    assert client.get("/models").status_code == 200
    assert len(routes(client)) > n_routes


def test_all_who_ask_first_are_answered(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(client.get, ("/models", "/docs", "/nowhere", "/problems/model-not-found", "/jobs")))
    assert [answer.status_code for answer in found] == [200, 200, 404, 200, 200]


def test_a_document_has_all_routes_whoever_has_asked_before(client: TestClient) -> None:
    document = client.app.openapi()  # type: ignore[attr-defined] # likewise
    assert document["paths"].keys() >= {"/neighbors", "/weat", "/corpora", "/jobs/{id}", "/readyz"}
    assert client.get("/models").status_code == 200


def test_a_wrong_method_is_told_the_right_ones_whoever_has_asked_before(client: TestClient) -> None:
    refused = client.delete("/models")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_searches_go_on_while_the_others_are_worked_out(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes 0.2 s, which on the event loop every request would wait."""
    had_a_loop = []

    def contexts(routes: list[BaseRoute]) -> object:
        with suppress(RuntimeError):
            had_a_loop.append(asyncio.get_running_loop())
        worked_out.append(len(routes))
        return iter_route_contexts(routes)

    worked_out: list[int] = []
    monkeypatch.setattr(keys, "iter_route_contexts", contexts)
    assert client.get("/models").status_code == 200
    assert worked_out
    assert not had_a_loop


@pytest.mark.parametrize("is_served", [True, False])
def test_what_came_later_is_not_collected_where_the_first_is_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, is_served: bool
) -> None:
    """A full collection among all routes stops every request for 0.08 s."""
    made: list[Doors] = []

    def doors(routes: list[BaseRoute]) -> Doors:
        made.append(Doors(routes))
        return made[-1]

    monkeypatch.setattr(keys, "Doors", doors)
    if is_served:
        gc.freeze()
    try:
        assert client.get("/models").status_code == 200
        assert any(known is made[-1] for known in gc.get_objects()) is not is_served
    finally:
        gc.unfreeze()
