"""What a job reads, which alias its result moves, and how its record goes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core import jobs
from app.core.database import Database
from app.core.jobs import JobProgress
from app.core.settings import Settings
from tests.app.jobs.conftest import BODY


def test_a_job_reads_the_revision_that_it_names(client: TestClient, corpus: None) -> None:
    client.put("/corpora/c", content=b"four five six\n")
    told = [client.post("/jobs", json=BODY | {"corpus": name}).json() for name in ("c", "c@1", "c@2")]
    assert [(job["corpus"], job["corpus_revision"]) for job in told] == [("c", 2), ("c", 1), ("c", 2)]
    unknown = client.post("/jobs", json=BODY | {"corpus": "c@3"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/corpus-not-found")
    assert client.post("/jobs", json=BODY | {"corpus": "c@0"}).status_code == 422
    assert client.delete("/corpora/c/revisions/1").json()["job"] == told[1]["id"]


@pytest.mark.parametrize(
    ("publish", "status", "alias"),
    [
        ({}, 202, "latest"),
        ({"alias": "staging"}, 202, "staging"),
        ({"alias": None}, 202, None),
        ({"alias": "v3"}, 422, ""),
    ],
)
def test_a_job_says_which_alias_moves(
    client: TestClient, corpus: None, publish: dict[str, Any], status: int, alias: str | None
) -> None:
    response = client.post("/jobs", json=BODY | {"publish": publish})
    assert response.status_code == status
    if status == 202:
        assert response.json()["publish"] == {"alias": alias}


def test_a_job_that_has_ended_can_be_deleted(client: TestClient, corpus: None) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    refused = client.delete(f"/jobs/{job_id}")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/job-in-use")
    client.post(f"/jobs/{job_id}/cancel")
    assert client.delete(f"/jobs/{job_id}").status_code == 204
    assert client.get(f"/jobs/{job_id}").status_code == 404


def test_the_index_is_chosen_by_size_unless_the_job_says_how(client: TestClient, corpus: None) -> None:
    """What was not said before there was a choice is still the same request."""
    headers = {"Idempotency-Key": "abc"}
    first = client.post("/jobs", json=BODY, headers=headers).json()
    assert first["index"] == "auto"
    assert client.post("/jobs", json=BODY | {"index": "auto"}, headers=headers).json() == first
    assert client.post("/jobs", json=BODY | {"index": "graph"}, headers=headers).status_code == 422
    assert client.post("/jobs", json=BODY | {"index": "graph"}).json()["index"] == "graph"
    assert client.post("/jobs", json=BODY | {"index": "hnsw"}).status_code == 422


def test_the_history_of_a_running_job(client: TestClient, corpus: None, settings: Settings) -> None:
    job_id = client.post("/jobs", json=BODY).json()["id"]
    assert client.get(f"/jobs/{job_id}/history").json() == {"epochs": []}
    epoch = {"epoch": 1, "loss": 2.5, "held_out_loss": 2.25, "seconds": 0.5, "tokens_per_second": 1e6}
    database = Database(settings.database)
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    progress = JobProgress("training", 0.5, step="epochs", history=[epoch])
    jobs.renew(database, claim, progress, lease_seconds=30)
    database.close()
    assert client.get(f"/jobs/{job_id}/history").json() == {"epochs": [epoch | {"learning_rate": None}]}
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["phase"], job["step"]) == ("training", "epochs")
    assert "history" not in job
