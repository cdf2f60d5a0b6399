"""The vocabulary over HTTP, page by page."""

from __future__ import annotations

import httpx
import pytest

from tests.app.search.conftest import Sample
from tests.app.search.test_endpoints import ask, problem


def test_words_by_prefix_with_counts_and_ranks(served: httpx.Client) -> None:
    body = ask(served, "/words", prefix="Wo", k=3)
    assert body == {
        "model": "m",
        "version": 1,
        "prefix": "wo",
        "words": [
            {"word": "woman", "count": 2500, "rank": 4},
            {"word": "word0", "count": 1250, "rank": 8},
            {"word": "word1", "count": 1111, "rank": 9},
        ],
        "next": "word1",
    }
    assert [w["word"] for w in ask(served, "/words", prefix="", k=2)["words"]] == ["king", "queen"]
    assert ask(served, "/words", prefix="여")["words"][0]["word"] == "여왕"
    assert ask(served, "/words", prefix="zzz")["words"] == []


@pytest.mark.parametrize(("k", "prefix"), [(7, ""), (199, ""), (1000, ""), (10, "word1"), (3, "zzz")])
def test_pages_walk_the_vocabulary_by_rank(served: httpx.Client, sample: Sample, k: int, prefix: str) -> None:
    expected = [(word, i + 1) for i, word in enumerate(sample.words) if word.startswith(prefix)]
    walked: list[tuple[str, int]] = []
    position: dict[str, str] = {}
    for _ in range(-(-len(expected) // k) or 1):
        page = ask(served, "/words", k=k, **({"prefix": prefix} if prefix else {}), **position)
        walked += [(word["word"], word["rank"]) for word in page["words"]]
        assert page["next"] == (walked[-1][0] if len(walked) < len(expected) else None)
        position = {"after": page["next"]}
    assert walked == expected


def test_a_page_goes_on_behind_any_word(served: httpx.Client) -> None:
    """As the user spells it, with the prefix or not."""
    assert [w["word"] for w in ask(served, "/words", after="QUEEN", k=2)["words"]] == ["man", "woman"]
    assert ask(served, "/words", after="woman", prefix="wo", k=1)["words"][0]["word"] == "word0"
    assert ask(served, "/words", after="king", prefix="wo", k=1)["words"][0]["word"] == "woman"
    assert ask(served, "/words", after="word191")["words"] == []
    assert problem(served, "/words", 404, after="womna")["suggestions"]["womna"][0] == "woman"
    assert problem(served, "/words", 422, after="two words")["type"] == "/problems/not-one-word"
