"""Files that are no corpus: any bytes, in revisions, deleted only when no job reads them."""

from __future__ import annotations

import gzip
import hashlib

import pytest
from fastapi.testclient import TestClient

from app.core import jobs
from app.core.catalog import files
from app.core.database import Database
from app.core.jobs import JobRequest

BYTES = bytes(range(256)) * 3


def test_a_file_of_any_bytes_is_kept_with_its_digest(client: TestClient) -> None:
    stored = client.put("/files/vectors.bin", content=BYTES)
    assert stored.status_code == 201
    assert stored.headers["location"] == "/files/vectors.bin"
    said = stored.json()
    assert (said["revision"], said["n_bytes"]) == (1, 768)
    assert said["sha256"] == hashlib.sha256(BYTES).hexdigest()
    again = client.put("/files/vectors.bin", content=gzip.compress(BYTES), headers={"content-encoding": "gzip"})
    assert (again.status_code, again.json()) == (200, said)
    assert client.get("/files/vectors.bin").json() == said
    assert client.get("/files").json() == {"files": [said | {"n_bytes_of_all_revisions": 768}], "next": None}


def test_other_content_is_the_next_revision(client: TestClient) -> None:
    first = client.put("/files/f", content=b"one")
    client.put("/files/f", content=b"three", headers={"if-match": first.headers["etag"]})
    assert [each["n_bytes"] for each in client.get("/files/f/revisions").json()["revisions"]] == [5, 3]
    late = client.put("/files/f", content=b"two", headers={"if-match": first.headers["etag"]})
    assert (late.status_code, late.json()["type"]) == (412, "/problems/precondition-failed")
    assert client.delete("/files/f/revisions/2").json()["type"] == "/problems/newest-revision"
    assert client.delete("/files/f/revisions/1").status_code == 204
    assert client.delete("/files/f").status_code == 204
    assert client.get("/files/f").json()["detail"] == "There is no file 'f'."


@pytest.mark.parametrize(
    ("content", "headers", "status", "problem"),
    [
        (b"", {}, 400, "file-empty"),
        (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415, "form-body"),
        (b"abc", {"content-encoding": "br"}, 415, "unsupported-encoding"),
        (b"abc", {"content-encoding": "gzip"}, 400, "bad-compression"),
        (b"abc", {"content-digest": "sha-256=:AAAA:"}, 400, "digest-mismatch"),
    ],
)
def test_what_is_refused_leaves_nothing(
    client: TestClient, content: bytes, headers: dict[str, str], status: int, problem: str
) -> None:
    refused = client.put("/files/f", content=content, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}")
    assert client.get("/files").json()["files"] == []


def test_a_file_that_an_unfinished_job_reads_stays(client: TestClient, database: Database) -> None:
    client.put("/files/f", content=b"one")
    client.put("/files/g", content=b"one")
    with database.transaction() as session:
        file_ids = [files.get(session, name).id for name in "fg"]
        job = jobs.submit(session, JobRequest("import", "m", {}, file_ids=file_ids))
    for name in "fg":
        refused = client.delete(f"/files/{name}")
        assert (refused.status_code, refused.json()["job"]) == (409, job.id)
    client.post(f"/jobs/{job.id}/cancel")
    assert client.delete("/files/g").status_code == 204
