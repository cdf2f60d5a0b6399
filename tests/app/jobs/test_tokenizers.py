"""Submitting a training with a tokenizer: its files are held, and what is missing is told. No trainer runs here."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.text.tokenizers.sentencepiece import MODEL
from tests.app.core.text.test_tokenizers import RESOURCES
from tests.app.jobs.conftest import BODY

pytestmark = pytest.mark.usefixtures("corpus")


def submit(client: TestClient, tokenizer: Any, **said: Any) -> Any:
    return client.post("/jobs", json=BODY | {"text": {"tokenizer": tokenizer}} | said)


def test_a_model_is_held_for_the_job(client: TestClient) -> None:
    assert client.put("/files/pieces", content=RESOURCES[MODEL]).status_code == 201
    submitted = submit(client, {"kind": "sentencepiece", "model": "pieces"})
    assert submitted.status_code == 202, submitted.text
    refused = client.delete("/files/pieces")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/file-in-use")


def test_what_is_missing_is_told_when_it_is_submitted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert submit(client, "mecab-ko").status_code == 202
    assert submit(client, {"kind": "sentencepiece", "model": "nowhere"}).status_code == 404
    client.put("/files/notes", content=b"no model")
    refused = submit(client, {"kind": "sentencepiece", "model": "notes"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/tokenizer-unusable")
    unknown = submit(client, {"kind": "thirds"})
    assert (unknown.status_code, unknown.json()["type"]) == (501, "/problems/extra-missing")
    assert unknown.json()["detail"].startswith("There is no tokenizer 'thirds' here")
    monkeypatch.setitem(sys.modules, "mecab", None)
    missing = submit(client, "mecab-ko")
    assert (missing.status_code, missing.json()["extra"]) == (501, "mecab-ko")
    assert "pip install 'wordkin[mecab-ko]'" in missing.json()["detail"]


def test_what_is_wrong_in_a_tokenizer_is_told_alone(client: TestClient) -> None:
    refused = submit(client, {"kind": "kiwi", "forms": "stem", "tags": "yes"})
    assert [issue["location"] for issue in refused.json()["errors"]] == [
        "body.text.tokenizer.tags",
        "body.text.tokenizer.forms",
    ]
    assert "Did you mean 'form'?" in refused.json()["detail"]


def test_an_import_takes_no_tokenizer_that_is_made_by_a_training(client: TestClient) -> None:
    client.put("/files/v", content=b"king 1 2\n")
    body = {"kind": "import", "model": "m", "file": "v"}
    for text, said in (
        ({"tokenizer": "sentencepiece"}, "'sentencepiece' is made by a training"),
        ({"phrases": {}}, "only a training finds phrases"),
        ({"stop_words": "v"}, "only a training finds phrases, and reads stop words of a file"),
    ):
        refused = client.post("/jobs", json=body | {"text": text})
        assert refused.status_code == 422
        assert said in refused.json()["detail"]


def test_stop_words_of_a_file_are_held_for_the_job_and_read_when_it_is_submitted(client: TestClient) -> None:
    client.put("/files/stop", content=b"one\n")
    client.put("/files/broken", content=b"\xff")
    assert client.post("/jobs", json=BODY | {"text": {"stop_words": "stop", "max_word_length": 40}}).status_code == 202
    assert client.delete("/files/stop").status_code == 409
    refused = client.post("/jobs", json=BODY | {"text": {"stop_words": "broken"}})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/tokenizer-unusable")
