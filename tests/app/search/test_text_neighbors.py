"""Neighbours of a text: of its vector, without its own words."""

from __future__ import annotations

import httpx
import pytest

from tests.app.search.conftest import Sample
from tests.app.search.test_batches import near, post
from tests.oracles import search as oracle_search


@pytest.mark.parametrize("filters", [{}, {"min_count": 2}])
def test_the_direction_is_the_text_s_and_its_own_words_are_left_out(
    served: httpx.Client, sample: Sample, filters: dict[str, int]
) -> None:
    text = "The Queen and word100, word100!"
    vector = served.get("/text-vector", params={"text": text}).json()["vector"]
    expected = oracle_search.nearest(sample.rows, vector, {1, sample.id("word100")}, 20)
    answer = served.get("/neighbors", params={"text": text, "k": 20, **filters})
    assert answer.json() == {
        "model": "m",
        "version": 1,
        "text": text,
        "missing": ["the", "and"],
        "neighbors": [{"word": sample.words[i], "score": near(score)} for i, score in expected],
    }
    assert post(served, "/neighbors", [{"text": text, "k": 20, **filters}]) == [
        {name: answer.json()[name] for name in ("text", "missing", "neighbors")}
    ]


def test_a_text_of_one_word_is_answered_as_the_word(served: httpx.Client) -> None:
    for word in ("king", "word7"):
        of_text, of_word = (served.get("/neighbors", params={name: word, "k": 100}).json() for name in ("text", "word"))
        assert of_text["neighbors"] == of_word["neighbors"]
        assert of_text["missing"] == []


def test_a_text_without_a_known_word_is_refused_with_near_spellings(served: httpx.Client) -> None:
    refused = served.get("/neighbors", params={"text": "kingg womna"})
    assert (refused.status_code, refused.json()["missing"]) == (404, ["kingg", "womna"])
    assert refused.json()["suggestions"]["kingg"][0] == "king"


def test_what_is_asked_for_is_one_thing(served: httpx.Client) -> None:
    for parameters in ({}, {"word": "king", "text": "king"}):
        refused = served.get("/neighbors", params=parameters)
        assert (refused.status_code, refused.json()["detail"]) == (422, "query: give exactly one of word and text")
