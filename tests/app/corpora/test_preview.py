"""A preview reads the beginning of a corpus by the tokenizer that a job will take, in a process of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.corpora import tokenised
from app.web import beginning
from tests.app.corpora.test_endpoints import problem

pytest.importorskip("sentencepiece")
pytest.importorskip("mecab")

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXT = "학교에서 봤다\n\n딥시크를 보았다 low lower newest\n" * 20


def shown(client: TestClient, tokenizer: Any) -> dict[str, Any]:
    said = tokenizer if isinstance(tokenizer, str) else json.dumps(tokenizer)
    answer = client.get("/corpora/c/preview", params={"tokenizer": said})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_lines_are_shown_as_a_tokenizer_reads_them(client: TestClient) -> None:
    client.put("/corpora/c", content=TEXT)
    found = shown(client, "mecab-ko")
    assert (len(found["lines"]), found["lines"][0]) == (10, ["학교", "보"])
    assert "딥시크" not in found["lines"][1]
    assert found["learned_from"] is None
    assert found["text"]["tokenizer"]["kind"] == "mecab-ko"
    client.put("/files/names", content="딥시크\tNNP\n")
    read_with = {"kind": "mecab-ko", "user_dictionary": "names"}
    assert shown(client, read_with)["lines"][1] == ["딥시크", "보", "low", "lower", "newest"]
    missing = client.get("/corpora/c/preview", params={"tokenizer": json.dumps(read_with | {"user_dictionary": "x"})})
    problem(missing, 404, "file-not-found")


@ON_SQLITE
def test_pieces_are_learned_of_the_beginning_and_that_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = {"kind": "sentencepiece", "n_pieces": 300}
    client.put("/corpora/c", content=TEXT)
    whole = shown(client, pieces)
    assert whole["learned_from"] == "corpus"
    assert "".join(whole["lines"][1]).replace("##", "").replace("\u2581", "") == "딥시크를보았다lowlowernewest"
    client.put("/corpora/c", content=TEXT + "바다가\n")
    monkeypatch.setattr(beginning, "SAMPLE_BYTES", len(TEXT.encode()))
    first = shown(client, pieces)
    assert (first["learned_from"], first["lines"]) == ("sample", whole["lines"])


@ON_SQLITE
@pytest.mark.parametrize(
    ("tokenizer", "named"),
    [
        ("mecab", "tokenizer: There is no tokenizer 'mecab'; did you mean 'mecab-ko'?"),
        ('{"kind": ', "an object as JSON, which this is not"),
        ('{"kind": "sentencepiece", "pieces": 300}', "pieces"),
        ('{"kind": "sentencepiece", "n_pieces": 300}', "more than n_pieces (300)"),
    ],
)
def test_what_a_tokenizer_cannot_be_made_of_is_told(client: TestClient, tokenizer: str, named: str) -> None:
    client.put("/corpora/c", content=" ".join(chr(0xAC00 + i) for i in range(2000)))
    refused = client.get("/corpora/c/preview", params={"tokenizer": tokenizer})
    assert named in problem(refused, 422, "invalid-request")["detail"]


@ON_SQLITE
def test_a_preview_takes_a_limited_time_and_one_process(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.put("/corpora/c", content=TEXT)
    monkeypatch.setattr(tokenised, "MOST_SECONDS", 0.0)
    slow = client.get("/corpora/c/preview?tokenizer=mecab-ko")
    assert "within 0 seconds; a job may" in problem(slow, 422, "invalid-request")["detail"]
    monkeypatch.setattr(tokenised, "WAITING_SECONDS", 0.0)
    with tokenised._turn:
        problem(client.get("/corpora/c/preview?tokenizer=mecab-ko"), 429, "overloaded")
    assert client.get("/corpora/c/preview").status_code == 200, "which needs no process"
