"""Methods that a path has, and what those that it lacks are told."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_method_that_a_path_lacks_is_told_all_that_it_has(client: TestClient) -> None:
    """Of every documented path: one method a route, and several routes a path."""
    n_several = 0
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        methods = {method.upper() for method in operations}
        refused = client.request("OPTIONS", path.replace("{number}", "1"))
        assert refused.status_code == 405, path
        assert set(refused.headers["Allow"].split(", ")) == methods, path
        n_several += len(methods) > 1
    assert n_several > 8


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_right_question_by_a_wrong_method_is_not_answered(client: TestClient, method: str) -> None:
    refused = client.request(method, "/similarity", params={"a": "king", "b": "queen"})
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")
