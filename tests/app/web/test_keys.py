"""Which door a key opens. One small service whose models and corpora are `shop-a` and `other`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from app.core import access
from app.core.access import Scope
from app.core.settings import Settings
from app.main import create_app
from app.search.direct import DirectRoute
from app.serving.asking import Target
from app.web.dependencies import RegistryDependency
from app.web.scopes import READ, scope_of
from tests.keyed import bearer, make_key
from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman"]
OPEN = {
    *("/", "/console", "/console/console.css", "/console/console.js", "/openapi.json"),
    *("/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"),
    *("/livez", "/readyz", "/problems", "/problems/{slug}"),
}
"""What says nothing of what somebody has stored."""
SCOPES = ["read", "train", "admin"]


class Service:
    """A service in a thread, asked with one of its keys."""

    def __init__(self, world: World, http: httpx.Client) -> None:
        self.world = world
        self.http = http
        self.tokens: dict[str | None, str] = {}

    def ask(self, key: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        headers = options.pop("headers", {}) | (bearer(self.tokens[key]) if key else {})
        return self.http.request(method, path, headers=headers, **options)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    world = World(tmp_path_factory.mktemp("world"))
    for model in ("shop-a", "other"):
        world.publish(model, WORDS, random_vectors(4, 6))
    tokens: dict[str | None, str] = {scope: make_key(world.database, scope) for scope in SCOPES}
    tokens |= {
        "shop": make_key(world.database, "train", ["shop-*"]),
        "shop admin": make_key(world.database, "admin", ["shop-*"]),
    }
    tokens["expired"] = make_key(world.database, "admin", days=1e-9)
    with world.served() as http:
        service = Service(world, http)
        service.tokens = tokens
        for name in ("shop-c", "other"):
            assert service.ask("train", "PUT", f"/corpora/{name}", content=b"a b c\n").status_code == 201
            assert service.ask("train", "PUT", f"/files/{name}", content=b"king 1 2\n").status_code == 201
        yield service
    world.close()


def routes() -> list[tuple[str, str, Scope | None]]:
    """Path, method and scope of every route of the application."""
    app = create_app(Settings(data_dir=Path("nowhere")))
    app.state.later.add()
    return [
        (str(route.path), method, scope_of(getattr(route.original_route, "openapi_extra", None)))
        for route in iter_route_contexts(app.router.routes)
        for method in sorted(route.methods or {"?"})
    ]


def concrete(path: str) -> str:
    return path.replace("{number}", "1").replace("{revision}", "1").replace("{", "").replace("}", "")


def test_every_route_says_what_it_needs_and_only_harmless_ones_are_open() -> None:
    table = routes()
    assert len(table) > 80
    assert [(path, method) for path, method, needs in table if needs is None] == []
    assert {path for path, _, needs in table if needs == Scope.NONE} == OPEN
    assert {method for _, method, needs in table if needs == Scope.NONE} == {"GET"}
    changing = {(path, method): needs for path, method, needs in table if method in {"PUT", "PATCH", "DELETE"}}
    assert set(changing.values()) == {Scope.TRAIN, Scope.ADMIN}
    for path, _, needs in table:
        if path.startswith(("/keys", "/audit")):
            assert needs == Scope.ADMIN


def test_no_route_opens_without_a_key_or_with_a_lesser_one(service: Service) -> None:
    """Of every route, also those that answer by a shorter way; what is refused is not even read."""
    for path, method, needs in routes():
        if path == "/openapi.json":  # takes seconds to be made
            continue
        assert needs is not None
        for method_asked in [method, "HEAD"] if method == "GET" else [method]:
            for key in (None, *SCOPES[: max(0, needs - 1)]):
                answer = service.ask(key, method_asked, concrete(path))
                where = (path, method_asked, key)
                if needs == Scope.NONE:
                    assert answer.status_code not in {401, 403}, where
                elif key in SCOPES:
                    assert answer.status_code == 403, where
                    assert answer.headers["WWW-Authenticate"].endswith(f'scope="{needs.name.lower()}"')
                else:
                    assert answer.status_code == 401, where
                    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="wordkin"')
                    assert answer.headers["Cache-Control"] == "no-store"


def test_a_route_that_says_nothing_is_closed_also_by_the_short_way(tmp_path: Path) -> None:
    async def hidden(request: Request, registry: RegistryDependency, asked: Annotated[Target, Query()]) -> Response:
        return Response("seen")

    late = APIRouter()
    late.add_api_route("/included", lambda: "seen")
    world = World(tmp_path)
    app = create_app(world.settings)
    app.router.routes[:0] = [
        DirectRoute("/direct", hidden, asked=Target, methods=["GET"]),
        DirectRoute("/said", hidden, asked=Target, methods=["GET"], openapi_extra=READ),
        APIRoute("/plain", lambda: "seen", methods=["GET"]),
    ]
    app.include_router(late)
    with TestClient(app, "http://127.0.0.1") as client:
        app.state.keyring.refresh()
        assert client.get("/said").text == "seen"
        for path in ("/direct", "/plain", "/included"):
            assert client.get(path).status_code == 404, path
    world.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/%6Bey%73", 401),
        ("/models/%2e%2e%2fkeys", 404),
        ("/keys/", 404),
        ("/KEYS", 404),
        ("/keys;x=1", 404),
        ("/console/../keys", 401),
        ("/console/%2e%2e/keys", 404),
        ("/neighbors/?model=other&word=king", 404),
        ("/metrics", 401),
    ],
)
def test_a_path_that_is_spelled_otherwise_opens_nothing(service: Service, path: str, status: int) -> None:
    assert service.http.get(path).status_code == status


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_another_method_opens_nothing(service: Service, method: str) -> None:
    assert service.http.request(method, "/models").status_code in {400, 405}


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Basic eDp5", "Token {}", "Bearer {}x", "Bearer x{}", "Bearer wk_", "{}"]
)
def test_what_is_no_key_is_refused(service: Service, sent: str) -> None:
    header = sent.format(service.tokens["admin"])
    assert service.http.get("/models", headers={"Authorization": header}).status_code == 401


def test_a_wrong_secret_an_unknown_id_and_two_keys_are_refused(service: Service) -> None:
    token = service.tokens["admin"]
    other_end = "0" if token[-1] != "0" else "1"
    assert service.ask("expired", "GET", "/models").json()["type"] == "/problems/key-invalid"
    for wrong in (token[:-1] + other_end, "wk_" + "0" * 16 + token[19:], token.upper()):
        answer = service.http.get("/models", headers=bearer(wrong))
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/key-invalid")
    twice = [("Authorization", f"Bearer {token}")] * 2
    assert service.http.get("/models", headers=twice).status_code == 401
    assert service.http.get("/models", headers={"authorization": f"bearer {token}"}).status_code == 200


def test_a_key_that_was_made_a_moment_ago_is_good(service: Service) -> None:
    token = make_key(service.world.database, "read")
    assert service.http.get("/models", headers=bearer(token)).status_code == 200


def test_answers_to_a_key_are_kept_by_no_cache_that_others_use(service: Service) -> None:
    pinned = service.ask("read", "GET", "/neighbors?model=shop-a&version=1&word=king")
    assert pinned.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    tag = {"If-None-Match": pinned.headers["ETag"]}
    again = service.ask("read", "GET", "/neighbors?model=shop-a&version=1&word=king", headers=tag)
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "private, max-age=31536000, immutable")
    by_alias = service.ask("read", "GET", "/neighbors?model=shop-a&word=king")
    assert by_alias.headers["Cache-Control"] == "private, no-cache"
    for path in ("/models", "/models/shop-a/versions/1", "/jobs"):
        assert service.ask("read", "GET", path).headers["Cache-Control"].startswith("private")
    for path in ("/neighbors?model=none&word=king", "/neighbors?model=shop-a&word=xyzzy"):
        assert service.ask("read", "GET", path).headers["Cache-Control"] == "private"


def test_health_tells_names_only_to_who_may_know_them(service: Service) -> None:
    assert service.http.get("/livez").json() == {"status": "alive"}
    told = {key: service.ask(key, "GET", "/readyz") for key in (None, "expired", "shop", "read")}
    assert {answer.status_code for answer in told.values()} == {200}
    assert {key: answer.json()["loaded"] for key, answer in told.items()} == {
        None: [],
        "expired": [],
        "shop": ["shop-a@1"],
        "read": ["other@1", "shop-a@1"],
    }
    assert 'model="other"' in service.ask("read", "GET", "/metrics").text
    assert 'model="other"' not in service.ask("shop", "GET", "/metrics").text


def test_without_any_key_loopback_is_open_and_the_first_key_closes_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    with TestClient(create_app(world.settings), "http://127.0.0.1") as client:
        assert client.get("/models", headers={"Authorization": "Bearer none"}).status_code == 200
        made = client.post("/keys", json={"name": "first", "scope": "admin"})
        assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
        assert client.get("/models").status_code == 401
        token = made.json()["token"]
        assert client.delete(f"/keys/{made.json()['id']}", headers=bearer(token)).status_code == 200
        assert client.get("/models", headers=bearer(token)).status_code == 401
        assert client.get("/models").status_code == 401
    world.close()


def test_what_is_done_inside_is_done_as_the_caller() -> None:
    shop = access.Caller(Scope.READ, ["shop-*", "b?"])
    assert access.sees("anything")
    with access.acting_as(shop):
        assert [name for name in ("shop-", "shop", "xshop-a", "bx", "b", "b.", "shop-\n") if access.sees(name)] == [
            "shop-",
            "bx",
            "b.",
        ]
        assert not access.sees(None)
    assert access.sees(None)
