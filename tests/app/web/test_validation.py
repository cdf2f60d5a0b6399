"""A parameter that is given several times is a list or a mistake."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("method", "path", "name", "n"),
    [
        ("GET", "/neighbors?word=dog&word=cat", "word", 2),
        ("HEAD", "/neighbors?word=dog&word=cat", "word", 2),
        ("GET", "/odd-one-out?word=a&word=b&word=c&model=m&model=n&model=m", "model", 3),
        ("GET", "/vector?word=dog&encoding=json&encoding=json", "encoding", 2),
        ("GET", "/vector?word=dog&nothing=1&nothing=2", "nothing", 2),
        ("POST", "/neighbors?model=a&model=b", "model", 2),
        ("GET", "/jobs?limit=1&limit=2", "limit", 2),
    ],
)
def test_a_single_parameter_that_is_repeated_is_named(
    client: TestClient, method: str, path: str, name: str, n: int
) -> None:
    body = {"queries": [{"word": "dog"}]} if method == "POST" else None
    response = client.request(method, path, json=body)
    assert response.status_code == 422
    if method != "HEAD":
        told = response.json()
        assert (told["type"], told["detail"]) == (
            "/problems/invalid-request",
            f"{name} is given {n} times; give it once.",
        )


def test_lists_are_repeated(client: TestClient) -> None:
    for query in ("word=a&word=b&word=c", "word=a&word=a&word=a"):
        response = client.get(f"/odd-one-out?{query}")
        assert "times" not in response.text
        assert response.status_code == 404


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/jobs?sate=failed", "query.sate: There is no such name. Did you mean 'state'? There are: limit, before, "),
        ("/corpora?limt=3&x=1", "query.limt: There is no such name. Did you mean 'limit'? There are: "),
        ("/models?model=m", "query.model: There is no such name."),
        ("/models/m/versions/1/card?formt=json", "query.formt: There is no such name. Did you mean 'format'?"),
    ],
)
def test_a_parameter_that_a_route_does_not_have_is_named(client: TestClient, path: str, told: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
    assert response.json()["detail"].startswith(told)


def test_a_value_of_several_shapes_is_answered_by_one_message(client: TestClient) -> None:
    """Whatever its members would have said of it, each for itself."""
    job = {"model": "m", "corpus": "c", "algorithm": "glove"}
    shapes = "This is 'none', 'parent' or a list of words"
    for path, said, location, told in (
        ("/v1/embeddings", {"model": "m", "input": {}}, "input", "This is a text or a list of texts"),
        ("/v1/embeddings", {"model": "m", "input": ["a", None]}, "input.1", "valid string"),
        ("/jobs", job | {"start": {"model": "m", "freeze": 5}}, "start.freeze", shapes),
        (
            "/jobs",
            job | {"start": {"model": "m", "freeze": "w1"}},
            "start.freeze",
            "Input should be 'none' or 'parent'",
        ),
        ("/jobs", job | {"text": {"format": {"kind": "csv", "column": None}}}, "text.format.column", "or its number"),
        ("/jobs", job | {"swap_pairs": [["he"]]}, "swap_pairs.0.1", "Field required"),
    ):
        (issue,) = client.post(path, json=said).json()["errors"]
        assert (issue["location"], told in issue["message"]) == (f"body.{location}", True), issue


def test_pages_and_probes_take_any_parameter(client: TestClient) -> None:
    assert client.get("/livez?probe=1").status_code == 200
    assert client.get("/console?from=mail").status_code == 200


@pytest.mark.parametrize("wrong", [[], {}, ["int8"], 7, None])
def test_a_list_where_a_word_is_meant_is_no_fault_of_ours(client: TestClient, wrong: object) -> None:
    """What looks at a value before its type is checked may find any."""
    job = {"kind": "derive", "model": "m", "steps": [{"step": "quantise", "to": wrong}]}
    response = client.post("/jobs", json=job)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
    assert [issue["location"] for issue in response.json()["errors"]] == ["body.steps.0.to"]
