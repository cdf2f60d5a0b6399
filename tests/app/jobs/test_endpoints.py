"""Jobs over HTTP; no trainer runs here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core import jobs
from app.core.database import Database
from app.core.settings import Settings
from app.web import beginning
from tests.app.jobs.conftest import BODY


def read_events(text: str) -> list[dict[str, str]]:
    """The fields of each event of a stream; comments keep it open and say nothing."""
    events = (
        dict(line.split(": ", 1) for line in event.splitlines() if line[0] != ":") for event in text.split("\n\n")
    )
    return [event for event in events if event]


def test_a_submitted_job_is_queued_with_all_its_settings(client: TestClient, corpus: None) -> None:
    response = client.post("/jobs", json=BODY)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["Location"] == f"/jobs/{job['id']}"
    assert (job["state"], job["progress"], job["version"], job["error"]) == ("queued", 0.0, None, None)
    assert job["hyperparameters"]["dim"] == 64
    assert job["hyperparameters"]["learning_rate"] == 0.025
    assert job["text"]["normalization"] == "nfc"
    assert client.get(response.headers["Location"]).json() == job
    assert client.get("/jobs").json() == {"jobs": [job], "next": None}
    assert client.get("/jobs?state=running").json()["jobs"] == []


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"algorithm": "magic"}, "body.algorithm"),
        ({"hyperparameters": {"dim": 1}}, "body.hyperparameters.dim"),
        ({"hyperparameters": {"dim": 10**9}}, "body.hyperparameters.dim"),
        ({"hyperparameters": {"vector_size": 100}}, "body.hyperparameters.vector_size"),
        ({"hyperparameters": {"learning_rate": "fast"}}, "body.hyperparameters.learning_rate"),
        ({"text": {"tokenizer": "magic"}}, "body.text.tokenizer"),
        ({"unknown": 1}, "body.unknown"),
        ({"evidence": 50}, "body.evidence"),
        ({"swap_pairs": [["he", "she"], ["she", "it"]]}, "body.swap_pairs"),
        ({"model": "a/b"}, "body.model"),
        ({"text": {"format": {"kind": "csv"}}}, "body.text.format.column"),
        ({"text": {"format": {"kind": "xml"}}}, "body.text.format.kind"),
    ],
)
def test_a_bad_field_is_named_with_its_value(
    client: TestClient, corpus: None, change: dict[str, Any], location: str
) -> None:
    response = client.post("/jobs", json=BODY | change)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
    assert location in [issue["location"] for issue in response.json()["errors"]]
    assert client.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("change", "name", "meant"),
    [
        ({"hyperparameters": {"vector_size": 100}}, "vector_size", "dim"),
        ({"hyperparameters": {"minCount": 1}}, "minCount", "min_count"),
        ({"hyperparameters": {"alpha": 0.05}}, "alpha", "learning_rate"),
        ({"hyperparameters": {"windw": 3}}, "windw", "window"),
        ({"algorithm": "glove", "hyperparameters": {"x-max": 10}}, "x-max", "x_max"),
        ({"algorithm": "glove", "hyperparameters": {"sg": 1}}, "sg", None),
        ({"text": {"tokeniser": "whitespace"}}, "tokeniser", "tokenizer"),
        ({"text": {"format": {"kind": "csv", "column": "c", "delimeter": ";"}}}, "delimeter", "delimiter"),
        ({"hyper_parameters": {}}, "hyper_parameters", "hyperparameters"),
    ],
)
def test_an_unknown_member_is_told_what_was_meant(
    client: TestClient, corpus: None, change: dict[str, Any], name: str, meant: str | None
) -> None:
    (issue,) = client.post("/jobs", json={**BODY, "hyperparameters": {}, **change}).json()["errors"]
    assert issue["location"].endswith(f".{name}")
    told = (
        f"There is no such name. Did you mean {meant!r}? There are: " if meant else "There is no such name. There are: "
    )
    assert issue["message"].startswith(told)
    assert (meant or "dim") in issue["message"].partition("There are: ")[2].split(", ")


def test_messages_are_plain(client: TestClient) -> None:
    def told(content: str) -> list[str]:
        answer = client.post("/jobs", content=content, headers={"Content-Type": "application/json"}).json()
        return [f"{issue['location']}: {issue['message']}" for issue in answer["errors"]]

    assert told("[]") == ["body: This is a JSON object"]
    assert told('{"model"}') == ["body: This is not JSON: Expecting ':' delimiter at character 8"]
    assert told('{"model":"m"}') == ["body.algorithm: Field required"]
    assert told('{"algorithm":"magic"}') == ["body.algorithm: This is one of 'word2vec', 'glove', 'fasttext'"]
    one_of = "This is one of 'word2vec', 'glove', 'fasttext'"
    assert told('{"algorithm":"fast-txt"}') == [f"body.algorithm: {one_of}. Did you mean 'fasttext'?"]
    told_values = told(
        '{"model":"m","corpus":"c","algorithm":"glove","index":"exakt","hyperparameters":{"output":"wrd"}}'
    )
    assert [each.partition("Did you mean ")[2] for each in told_values] == ["'exact'?", "'word'?"]
    patience = '"hyperparameters":{"epochs":2,"stop_patience":2}'
    assert told(f'{{"model":"m","corpus":"c","algorithm":"word2vec",{patience}}}') == [
        "body.hyperparameters: stop_patience must be smaller than epochs to have an effect"
    ]


def test_an_unknown_corpus_is_named(client: TestClient) -> None:
    response = client.post("/jobs", json=BODY)
    assert (response.status_code, response.json()["type"]) == (404, "/problems/corpus-not-found")
    assert response.json()["corpus"] == "c"


@pytest.mark.parametrize(("body", "status"), [(b"", 422), (b"{", 422), (b"[]", 422), (b'"x"', 422), (b"\xff", 422)])
def test_a_body_that_is_no_job_is_refused(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_huge_body_is_refused(client: TestClient) -> None:
    response = client.post("/jobs", content=b" " * (2 << 20), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


def test_a_repeated_request_with_its_key_is_one_job(client: TestClient, corpus: None) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = client.post("/jobs", json=BODY, headers=headers).json()
    assert client.post("/jobs", json=BODY, headers=headers).json() == first
    other = client.post("/jobs", json=BODY | {"model": "other"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-conflict")
    assert len(client.get("/jobs").json()["jobs"]) == 1


def test_a_queued_job_is_cancelled_at_once(client: TestClient, corpus: None) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    cancelled = client.post(f"/jobs/{job_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert client.post(f"/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert client.delete("/corpora/c").status_code == 204


def test_an_ended_job_cannot_be_cancelled(client: TestClient, corpus: None, settings: Settings) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    database = Database(settings.database)
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    jobs.fail(database, claim, {"type": "/problems/vocabulary-empty", "title": "Vocabulary empty", "detail": "…"})
    database.close()
    response = client.post(f"/jobs/{job_id}/cancel")
    assert (response.status_code, response.json()["state"]) == (409, "failed")
    assert client.get(f"/jobs/{job_id}").json()["error"]["type"] == "/problems/vocabulary-empty"


def test_a_corpus_in_use_stays(client: TestClient, corpus: None) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    response = client.delete("/corpora/c")
    assert (response.status_code, response.json()["job"]) == (409, job_id)


def test_an_unknown_job_is_named(client: TestClient) -> None:
    for response in (
        client.get("/jobs/x"),
        client.get("/jobs/x/history"),
        client.post("/jobs/x/cancel"),
        client.get("/jobs/x/events"),
    ):
        assert (response.status_code, response.json()["type"]) == (404, "/problems/job-not-found")


def test_what_a_client_has_is_not_sent_again(client: TestClient, corpus: None) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    for path in (f"/jobs/{job_id}", "/jobs"):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "no-cache"
        known = {"If-None-Match": first.headers["ETag"]}
        again = client.get(path, headers=known)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        client.post(f"/jobs/{job_id}/cancel")
        changed = client.get(path, headers=known)
        assert (changed.status_code, "cancelled" in changed.text) == (200, True)
        assert changed.headers["ETag"] != first.headers["ETag"]
        job_id = client.post("/jobs", json=BODY).json()["id"]


def test_events_end_with_the_job(client: TestClient, corpus: None) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    cancelled = client.post(f"/jobs/{job_id}/cancel").json()
    events = client.get(f"/jobs/{job_id}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert [event["event"] for event in read_events(events.text)] == ["cancelled", "end"]
    for event in read_events(events.text):
        assert json.loads(event["data"]) == cancelled


def test_a_stream_goes_on_where_it_was_cut(client: TestClient, corpus: None) -> None:
    """As a browser's EventSource does it, which asks again whenever a stream has ended, until it is told 204."""
    job_id = client.post("/jobs", json=BODY).json()["id"]
    client.post(f"/jobs/{job_id}/cancel")
    first, last = read_events(client.get(f"/jobs/{job_id}/events").text)
    assert (first["retry"], last["id"]) == ("2000", "end")

    def again(event_id: str) -> Any:
        return client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": event_id})

    assert read_events(again("of-another-time").text) == [first, last]
    assert read_events(again(first["id"]).text) == [last]
    ended = again("end")
    assert (ended.status_code, ended.content) == (204, b"")
    assert client.get("/jobs/x/events", headers={"Last-Event-ID": "end"}).status_code == 404


def test_events_are_readable_text(client: TestClient) -> None:
    client.put("/corpora/영화평", content="배우 연기 감동\n".encode())
    job_id = client.post("/jobs", json=BODY | {"model": "영화", "corpus": "영화평"}).json()["id"]
    client.post(f"/jobs/{job_id}/cancel")
    assert '"corpus":"영화평"' in client.get(f"/jobs/{job_id}/events").content.decode()


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    for response, status in ((client.get("/nothing"), 404), (client.delete("/jobs"), 405)):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"


def test_a_replay_is_answered_after_its_corpus_is_gone(client: TestClient, corpus: None) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = client.post("/jobs", json=BODY, headers=headers).json()
    client.post(f"/jobs/{first['id']}/cancel")
    assert client.delete("/corpora/c").status_code == 204
    replayed = client.post("/jobs", json=BODY, headers=headers)
    assert (replayed.status_code, replayed.json()["id"]) == (202, first["id"])


@pytest.mark.parametrize(
    ("format_", "named"),
    [
        ({"kind": "jsonl", "field": "title"}, "is not JSON"),
        ({"kind": "csv", "column": "title"}, "no column 'title'. There are: one two three."),
    ],
)
def test_a_format_that_does_not_fit_is_refused_at_once(
    client: TestClient, corpus: None, format_: dict[str, Any], named: str
) -> None:
    response = client.post("/jobs", json=BODY | {"text": {"format": format_}})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/bad-record")
    assert named in response.json()["detail"]
    assert client.get("/jobs").json()["jobs"] == []


def test_only_the_beginning_is_read_at_submission(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes later is found by the job."""
    assert client.put("/corpora/c", content=b'{"t": "one two"}\n' * 100 + b"broken\n").status_code == 201
    body = BODY | {"text": {"format": {"kind": "jsonl", "field": "t", "max_bad_rows": 0}}}
    refused = client.post("/jobs", json=body)
    assert (refused.status_code, refused.json()["line"], refused.json()["n_rows"]) == (422, 101, 101)
    monkeypatch.setattr(beginning, "SAMPLE_BYTES", 1000)
    assert client.post("/jobs", json=body).status_code == 202
