"""Explanations are what the corpus shows: counted slowly on a few lines, and nothing where there is nothing."""

from __future__ import annotations

import httpx
import pytest

from tests.app.search.conftest import LINES
from tests.oracles import contexts as oracle
from tests.oracles.glove import cooccurrences

WORDS = sorted({word for line in LINES for word in line})
COUNTS = {
    (WORDS[a], WORDS[b]): int(n)
    for (a, b), n in cooccurrences(
        [[WORDS.index(word) for word in line] for line in LINES], 5, symmetric=True, equal=True
    ).items()
}
NUMBERED = {(WORDS.index(a), WORDS.index(b)): n for (a, b), n in COUNTS.items()}
PPMI = {(WORDS[a], WORDS[b]): value for (a, b), value in oracle.ppmi(NUMBERED, 0.75).items()}
COMMON = {word for center, word in COUNTS if center == "king"} - {"queen"}


def test_contexts_have_counts_ppmi_and_lines(served: httpx.Client) -> None:
    told = served.get("/contexts", params={"word": "King", "lines": 3}).json()
    assert (told["model"], told["version"], told["word"], told["window"]) == ("m", 1, "king", 5)
    found = {context["word"]: context for context in told["contexts"]}
    assert {word: context["count"] for word, context in found.items()} == {
        word: n for (center, word), n in COUNTS.items() if center == "king" and PPMI["king", word] > 0
    }
    for word, context in found.items():
        assert context["ppmi"] == pytest.approx(PPMI["king", word], abs=1e-6)
        assert context["lines"] == [" ".join(line) for line in LINES if {"king", word} <= set(line)]
    assert [context["ppmi"] for context in told["contexts"]] == sorted(
        (context["ppmi"] for context in told["contexts"]), reverse=True
    )


def test_an_explanation_shares_the_product_of_both_rows(served: httpx.Client) -> None:
    told = served.get("/explain", params={"a": "king", "b": "queen", "lines": 3}).json()
    products = {word: PPMI["king", word] * PPMI.get(("queen", word), 0) for word in COMMON}
    total = sum(products.values())
    shares = {word: product / total for word, product in products.items() if product > 0}
    assert {each["word"]: each["contribution"] for each in told["shared"]} == pytest.approx(shares, abs=1e-6)
    assert (told["evidence"], told["n_shared"]) == ("both", len(shares))
    assert told["together"] == {"count": 2, "at_most": 2, "lines": [" ".join(LINES[0]), " ".join(LINES[2])]}
    similarity = served.get("/similarity", params={"a": "king", "b": "queen"}).json()
    assert told["score"] == similarity["score"]
    assert 0 < told["overlap"] <= 1
    shown = [context["lines"] for context in told["shared"]]
    assert any(shown)
    assert all(len(lines) == len(set(lines)) for lines in shown)
    one = served.get("/explain", params={"a": "king", "b": "queen", "k": 1, "lines": 0}).json()
    assert one["shared"] == [told["shared"][0] | {"lines": []}]
    assert one["n_shared"] == told["n_shared"]


def test_there_is_no_evidence_where_the_corpus_has_none(served: httpx.Client) -> None:
    told = served.get("/explain", params={"a": "king", "b": "word9"}).json()
    assert (told["evidence"], told["shared"], told["overlap"]) == ("none", [], 0.0)
    assert told["together"] == {"count": 0, "at_most": 0, "lines": []}
    assert served.get("/contexts", params={"word": "word9"}).json()["contexts"] == []


def test_a_cooccurrence_is_a_count(served: httpx.Client) -> None:
    told = served.get("/cooccurrence", params={"a": "king", "b": "woman"}).json()
    assert (told["count"], told["at_most"], told["window"]) == (COUNTS["king", "woman"], COUNTS["king", "woman"], 5)
    assert told["ppmi"] == pytest.approx(PPMI["king", "woman"], abs=1e-6)
    assert served.get("/cooccurrence", params={"a": "king", "b": "word9"}).json()["count"] == 0


def test_a_cooccurrence_that_is_not_stored_is_bounded(served: httpx.Client) -> None:
    """Chance lets the two stand near each other that often, and no context of both is weaker than chance."""
    told = served.get("/cooccurrence", params={"a": "king", "b": "word3"}).json()
    assert PPMI["king", "word3"] == PPMI["word3", "king"] == 0
    assert (told["count"], told["ppmi"]) == (None, None)
    assert told["at_most"] >= COUNTS["king", "word3"]
    assert told["lines"] == [" ".join(LINES[3])]  # which shows the stored pair of king and word4, too
    explained = served.get("/explain", params={"a": "king", "b": "word3", "lines": 0}).json()
    assert explained["evidence"] in {"together", "both"}


@pytest.mark.parametrize("path", ["/contexts?word=king", "/explain?a=king&b=queen", "/cooccurrence?a=king&b=queen"])
def test_a_version_without_evidence_says_how_to_have_it(served: httpx.Client, path: str) -> None:
    response = served.get(f"{path}&version=2")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/evidence-not-stored")
    assert 'Train with "evidence": true' in response.json()["detail"]


def test_an_unknown_word_is_told_with_near_ones(served: httpx.Client) -> None:
    problem = served.get("/explain", params={"a": "king", "b": "quen"}).json()
    assert (problem["type"], problem["missing"]) == ("/problems/word-not-found", ["quen"])
    assert problem["suggestions"]["quen"][0] == "queen"


@pytest.mark.parametrize("wrong", ["lines=4", "lines=-1", "k=0", "example=1"])
def test_what_is_out_of_bounds_is_refused(served: httpx.Client, wrong: str) -> None:
    assert served.get(f"/contexts?word=king&{wrong}").status_code == 422
