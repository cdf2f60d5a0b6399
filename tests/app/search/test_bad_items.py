"""An item of a batch that is no question gets its problem in its place."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.app.search.test_batches import post


@pytest.mark.parametrize(
    ("path", "good", "bad", "location"),
    [
        ("/neighbors", {"word": "king"}, {"word": ""}, "word"),
        ("/neighbors", {"word": "king"}, {"word": "king", "vector": [1.0]}, None),
        ("/neighbors", {"word": "king"}, {}, None),
        ("/neighbors", {"word": "king"}, "king", None),
        ("/neighbors", {"word": "king"}, None, None),
        ("/neighbors", {"word": "king"}, {"words": {}}, "words"),
        ("/neighbors", {"word": "king"}, {"word": "king", "deny": ["x"] * 257}, "deny"),
        ("/neighbors", {"word": "king"}, {"word": "king", "unknown": 1}, "unknown"),
        ("/neighbors", {"word": "king"}, {"word": "king", "min_count": 2**70}, "min_count"),
        ("/neighbors", {"word": "king"}, {"word": "king", "k": 1001}, "k"),
        ("/analogy", {"a": "king", "b": "man", "c": "woman"}, {"a": "king", "b": "man"}, None),
        ("/similarity", {"a": "king", "b": "man"}, {"a": "king"}, "b"),
        ("/vector", {"word": "king"}, {"word": 3}, "word"),
        ("/words", {"prefix": "w"}, {"prefix": "w", "k": 0}, "k"),
        ("/odd-one-out", {"words": ["king", "man", "queen"]}, {"words": ["king", "man"]}, "words"),
        ("/text-vector", {"text": "king"}, {"text": "king", "encoding": "xml"}, "encoding"),
    ],
)
def test_a_bad_item_is_refused_in_its_place(
    served: httpx.Client, path: str, good: dict[str, Any], bad: Any, location: str | None
) -> None:
    first, refused, last = post(served, path, [good, bad, good])
    assert first == last == post(served, path, [good])[0]
    error = refused["error"]
    assert (error["status"], error["type"], error["instance"]) == (422, "/problems/invalid-request", path)
    place = "body.queries.1" if location is None else f"body.queries.1.{location}"
    assert place in [issue["location"] for issue in error["errors"]]


def test_what_is_wrong_with_an_item_is_told_plainly(served: httpx.Client) -> None:
    found = post(served, "/neighbors", [{"word": "king", "topn": 3}, {"word": "king", "vector": [1.0]}])
    assert found[0]["error"]["detail"].startswith(
        "body.queries.0.topn: There is no such name. Did you mean 'k'? There are: "
    )
    assert found[1]["error"]["detail"] == "body.queries.1: give exactly one of word, text, vector and words"
    (found,) = post(served, "/similarity", [{"a": "king", "b": [""]}])
    assert [issue["location"] for issue in found["error"]["errors"]] == ["body.queries.0.b.0"]
    (found,) = post(served, "/similarity", [{"a": "king", "b": 5}])
    assert found["error"]["detail"] == "body.queries.0.b: This is a word or a list of words"


def test_numbers_that_are_none_and_halves_of_characters(served: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for content in ("{", '"x"', "[]"):
        assert served.post("/neighbors", content=content, headers=headers).status_code == 422
    bad = (
        '{"vector":[NaN]}',
        '{"words":{"king":Infinity}}',
        r'{"word":"a\ud800"}',
        r'{"\ud800":1}',
        r'{"words":{"\ud800":1}}',
    )
    response = served.post("/neighbors", content=f'{{"queries":[{",".join(bad)}]}}', headers=headers)
    assert response.status_code == 200
    results = json.loads(response.content, parse_constant=pytest.fail)["results"]
    assert [item["error"]["type"] for item in results] == ["/problems/invalid-request"] * len(bad)
