"""Health, metrics, request ids and the explanations of problems."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import LogCapture

from app.core import catalog
from app.core.settings import Settings
from app.jobs import endpoints
from app.main import create_app
from tests.frozen import frozen
from tests.published import wait_until


def test_the_process_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["database"]) == (200, "ready", "up")


def test_metrics_count_requests_by_route_and_never_by_path(client: TestClient) -> None:
    client.get("/jobs/some-secret-word")
    metrics = client.get("/metrics").text
    assert 'wordkin_requests_total{method="GET",route="/jobs/{id}",status="404"}' in metrics
    assert "some-secret-word" not in metrics
    # how many is not ours to say: services of other tests run in this process, too
    assert re.search(r'^wordkin_versions_loaded\{index="flat"\} \d', metrics, re.M)


def test_methods_that_nobody_knows_make_no_labels_of_their_own(client: TestClient) -> None:
    client.request("SECRET", "/jobs")
    metrics = client.get("/metrics").text
    assert 'method="other"' in metrics
    assert "SECRET" not in metrics


def test_a_request_id_is_taken_over_or_made(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"
    for other in ("x" * 65, 'a" id=b', "a b", "é"):
        made = client.get("/livez", headers={b"X-Request-Id": other.encode()}).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_request_has_its_id_in_every_line_and_in_its_problem(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = LogCapture()
    monkeypatch.setattr(endpoints, "logger", structlog.wrap_logger(None, [merge_contextvars, kept]))
    client.put("/corpora/c", content=b"a b c\n")
    job = {"model": "m", "corpus": "c", "algorithm": "glove"}
    accepted = client.post("/jobs", json=job, headers={"X-Request-Id": "first"}).json()
    refused = client.post("/jobs", json=job | {"corpus": "gone"}, headers={"X-Request-Id": "second"})
    (submitted,) = kept.entries  # on a thread of its own
    assert (submitted["request_id"], submitted["job"]) == ("first", accepted["id"])
    assert (refused.json()["request_id"], refused.headers["X-Request-Id"]) == ("second", "second")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_refusals_are_counted_by_their_type(client: TestClient) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("wordkin_problems_total", {"type": "job-not-found"}) or 0.0

    before = count()
    for _ in range(2):
        client.get("/jobs/gone")
    assert count() == before + 2


def test_every_problem_type_explains_itself(client: TestClient) -> None:
    types = client.get("/problems").json()
    assert len(types) == len({each["type"] for each in types})
    for each in types:
        assert client.get(each["type"]).json() == each
        assert each["meaning"].endswith(".")
    assert client.get("/problems/nothing").status_code == 404


def test_every_documented_path_has_an_operation_id_and_a_summary(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert all(identifier.replace("_", "").isalnum() for identifier in ids)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert client.get("/docs").status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_down_is_a_503_and_not_unready(settings: Settings, tmp_path: Path) -> None:
    with TestClient(create_app(settings), "http://127.0.0.1", raise_server_exceptions=False) as client:
        client.app.state.registry.refresh()  # type: ignore[attr-defined] # TestClient's app is a bare callable
        assert client.get("/readyz").json()["database"] == "up"
        for path in tmp_path.glob("wordkin.sqlite*"):
            path.unlink()
        tmp_path.joinpath("wordkin.sqlite").mkdir()
        client.app.state.database._engine.dispose()  # type: ignore[attr-defined] # as above
        response = client.get("/jobs")
        assert (response.status_code, response.json()["type"]) == (503, "/problems/database-unavailable")
        assert response.headers["Retry-After"]
        assert client.get("/readyz").status_code == 200
        assert client.get("/readyz").json()["database"] == "down"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fault_of_ours_has_an_id_and_is_counted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(catalog, "list_models", broken)
    response = client.get("/models", headers={"X-Request-Id": "mine"})
    assert (response.status_code, response.headers["X-Request-Id"]) == (500, "mine")
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.json()["instance"], response.json()["status"]) == ("/models", 500)
    assert 'wordkin_requests_total{method="GET",route="/models",status="500"}' in client.get("/metrics").text
    monkeypatch.undo()
    assert client.get("/models").status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_silent_is_down_and_holds_nobody_up(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that ask share one question, which may wait for ever."""
    asked, released = [], threading.Event()

    def silent() -> None:
        asked.append(1)
        released.wait(30)

    monkeypatch.setattr(client.app.state.database, "check", silent)  # type: ignore[attr-defined] # as above
    try:
        for _ in range(3):
            assert client.get("/readyz").json()["database"] == "down"
        assert len(asked) == 1
        assert client.get("/livez").status_code == 200
    finally:
        released.set()


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/%00",
        "/jobs?before=%00",
        "/corpora?after=%00",
        "/jobs/%00/events",
        "/neighbors?word=a&model=%00&version=1",
    ],
)
def test_a_nul_in_an_id_is_a_problem_of_the_request(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("attacker.example", 421),
        ("127.0.0.1.x", 421),
        ("", 421),
    ],
)
def test_on_loopback_only_loopback_s_names_are_answered(client: TestClient, host: str, status: int) -> None:
    """A page of elsewhere whose name leads to 127.0.0.1 must not reach a service without keys."""
    response = client.get("/livez", headers={"Host": host})
    assert response.status_code == status
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert "WORDKIN_ALLOWED_HOSTS" in response.json()["detail"]


def test_who_serves_others_may_say_by_which_names() -> None:
    assert Settings(host="0.0.0.0").hosts is None  # noqa: S104 (as in a container)
    assert Settings(allowed_hosts="Words.example, other").hosts == frozenset({"words.example", "other"})


def test_no_redirect_follows_the_host_header(client: TestClient) -> None:
    assert client.get("/corpora/", follow_redirects=False).status_code == 404


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_health_is_told_at_once_while_the_database_stands_still(client: TestClient, database_url: str) -> None:
    assert client.get("/readyz").json()["database"] == "up"
    with frozen(database_url), ThreadPoolExecutor(60) as threads:
        started = time.monotonic()
        answers = list(threads.map(lambda _: client.get("/readyz"), range(60)))
        assert time.monotonic() - started < 20.0  # all wait for one look; each for its own, it would take 48
        assert {(answer.status_code, answer.json()["database"]) for answer in answers} == {(200, "down")}
        assert [thread.name for thread in threading.enumerate()].count("readyz") <= 1
    wait_until(lambda: client.get("/readyz").json()["database"] == "up")


SECURED = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_answer_tells_browsers_to_do_nothing_else_with_it(client: TestClient) -> None:
    host = {"Host": "attacker.example"}
    answers = [
        client.get("/livez"),
        client.head("/models"),
        client.get("/nothing"),
        client.options("/models"),
        client.post("/keys", content=b"x" * (2 << 20)),
        client.get("/livez", headers=host),
        client.get("/metrics"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 405, 413, 421, 200]
    for answer in answers:
        assert {name: answer.headers.get_list(name) for name in SECURED} == {
            name: [value] for name, value in SECURED.items()
        }
    for path in ("/console", "/docs", "/console/console.js", "/docs/swagger-ui.css"):
        page = client.get(path)
        assert page.headers.get_list("Content-Security-Policy")[0].startswith("default-src 'self'; ")
        assert len(page.headers.get_list("Content-Security-Policy")) == 1
        assert (
            "'unsafe-inline'"
            not in page.headers["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
        )
        assert page.headers["X-Frame-Options"] == "DENY"
