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
