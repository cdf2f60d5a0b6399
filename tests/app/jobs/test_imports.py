"""Imports over HTTP: what is wrong with the file is told when the job is submitted. No trainer runs here."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from fastapi.testclient import TestClient

VECTORS = b"king 1 0\nqueen 0 1\n"
BODY = {"kind": "import", "model": "m", "file": "v.txt"}


@pytest.fixture
def file(client: TestClient) -> None:
    assert client.put("/files/v.txt", content=VECTORS).status_code == 201


def test_an_import_is_queued_with_all_its_settings(client: TestClient, file: None) -> None:
    client.put("/files/counts.txt", content=b"king 10\nqueen 5\n")
    submitted = client.post("/jobs", json=BODY | {"vocabulary": "counts.txt@1", "licence": "PDDL"})
    assert submitted.status_code == 202, submitted.text
    job = submitted.json()
    told = {name: job[name] for name in ("kind", "state", "model", "file", "file_revision", "corpus")}
    assert list(told.values()) == ["import", "queued", "m", "v.txt", 1, None]
    estimate = job["estimate"]
    assert (estimate["seconds"], estimate["measured_jobs"], estimate["storage_bytes"]) == (None, 0, 2 * (2 * 4 + 440))
    assert set(estimate) == {"seconds", "measured_jobs", "memory_bytes", "disk_bytes", "storage_bytes"}
    text = job["text"]
    assert (text["normalization"], text["case"], text["tokenizer"]) == ("none", "keep", "whitespace")
    for name in ("v.txt", "counts.txt"):
        refused = client.delete(f"/files/{name}")
        assert (refused.status_code, refused.json()["job"]) == (409, job["id"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps([1], 4), "looks like a Python pickle: it could run code. Save the vectors with gensim"),
        (b"PK\x03\x04 archive", "looks like a zip archive"),
        (b"\x1f\x8b\x08\x00", "looks like gzip: send it unpacked, or add -H 'Content-Encoding: gzip'"),
        (b"SQLite format 3\x00", "looks like an SQLite database"),
        (b"In the beginning God created the heaven\n", "Line 1 is not a word with numbers after it"),
        (b"king 1 2\nIn the beginning\n", "Line 2 is not a word with numbers after it"),
    ],
)
def test_what_is_no_file_of_vectors_is_refused_at_once(client: TestClient, content: bytes, told: str) -> None:
    client.put("/files/v.txt", content=content)
    refused = client.post("/jobs", json=BODY)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/vectors-unreadable")
    assert told in refused.json()["detail"]
    assert client.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("change", "location", "told"),
    [
        ({"kind": "knit"}, "body.kind", "'train', 'import'"),
        ({"corpus": "c"}, "body.corpus", "There is no such name."),
        ({"fle": "v.txt"}, "body.fle", "Did you mean 'file'?"),
        ({"rows": {"duplicates": "last"}}, "body.rows.duplicates", "'first' or 'error'"),
        ({"rows": {"zero_row": "drop"}}, "body.rows.zero_row", "Did you mean 'zero_rows'?"),
        ({"format": "glov"}, "body.format", "glove"),
    ],
)
def test_a_bad_field_is_named(client: TestClient, file: None, change: dict[str, Any], location: str, told: str) -> None:
    refused = client.post("/jobs", json=BODY | change)
    assert refused.status_code == 422
    issues = {issue["location"]: issue["message"] for issue in refused.json()["errors"]}
    assert told in issues[location]


def test_an_unknown_file_is_named(client: TestClient) -> None:
    refused = client.post("/jobs", json=BODY)
    assert (refused.status_code, refused.json()["file"]) == (404, "v.txt")


def test_the_same_key_means_the_same_import(client: TestClient, file: None) -> None:
    headers = {"idempotency-key": "once"}
    first = client.post("/jobs", json=BODY, headers=headers).json()
    assert client.post("/jobs", json=BODY, headers=headers).json() == first
    other = client.post("/jobs", json=BODY | {"rows": {"spaces": "drop"}}, headers=headers)
    assert other.json()["type"] == "/problems/idempotency-conflict"


def test_a_matrix_without_words_is_refused_at_once(client: TestClient, file: None) -> None:
    client.put("/files/m.npy", content=b"\x93NUMPY\x01\x00")
    body = BODY | {"file": "m.npy"}
    refused = client.post("/jobs", json=body)
    assert (refused.status_code, "npy has vectors and no words" in refused.json()["detail"]) == (422, True)
    assert client.post("/jobs", json=body | {"vocabulary": "v.txt"}).status_code == 202
    refused = client.post("/jobs", json=body | {"vocabulary": "v.txt", "format": "native"})
    assert (refused.status_code, "takes no `vocabulary`" in refused.json()["detail"]) == (422, True)
