"""Methods that a path has, and what those that it lacks are told."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_method_that_a_path_lacks_is_told_all_that_it_has(client: TestClient) -> None:
    """Of every documented path: one method a route, and several routes a path."""
    n_several = 0
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        methods = {method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set())
        refused = client.request("OPTIONS", path.replace("{number}", "1"))
        assert refused.status_code == 405, path
        assert set(refused.headers["Allow"].split(", ")) == methods, path
        n_several += len(methods - {"HEAD"}) > 1
    assert n_several > 8


def test_head_is_get_without_a_body(client: TestClient) -> None:
    """Of every route, also where there is nothing or not what was meant."""
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "get" in operations:
            url = path.replace("{number}", "1")
            got, head = client.get(url), client.head(url)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            assert head.headers["content-type"] == got.headers["content-type"], path
            if path not in {"/metrics", "/readyz"}:
                assert head.headers["content-length"] == got.headers["content-length"], path
    assert client.head("/nothing").status_code == 404
    assert client.head("/v1/embeddings").status_code == 405
    assert 'wordkin_requests_total{method="HEAD",route="/livez",status="200"}' in client.get("/metrics").text


def test_the_head_of_a_stream_does_not_wait_for_its_end(client: TestClient) -> None:
    client.put("/corpora/c", content=b"a b c\n")
    job = client.post("/jobs", json={"model": "m", "corpus": "c", "algorithm": "glove"})
    head = client.head(f"{job.headers['Location']}/events")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_right_question_by_a_wrong_method_is_not_answered(client: TestClient, method: str) -> None:
    refused = client.request(method, "/similarity", params={"a": "king", "b": "queen"})
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
