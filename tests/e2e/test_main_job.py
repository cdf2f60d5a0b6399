"""From upload to analogy, and what happens when processes die, over HTTP on both databases."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.command.processes import Service
from tests.e2e.conftest import job_in_state, served_version, submit, upload, wait_for


@pytest.mark.parametrize("shared_service", ["sqlite"], indirect=True)
def test_from_upload_to_analogy(shared: httpx.Client, bible: bytes) -> None:
    """king - man + woman = queen, from a corpus that came in compressed, under a version that names its origin."""
    response = shared.put("/corpora/bible", content=gzip.compress(bible), headers={"Content-Encoding": "gzip"})
    assert response.status_code == 201, response.text
    assert shared.put("/corpora/bible", content=bible).status_code == 200

    job = job_in_state(shared, submit(shared, dim=100)["id"], "succeeded", "failed")
    assert (job["state"], job["version"], job["progress"], job["error"]) == ("succeeded", 1, 1.0, None)
    assert served_version(shared, 1)["score"] > 0.2

    answer = shared.get("/analogy", params={"model": "bible", "a": "king", "b": "man", "c": "woman"}).json()
    assert (answer["model"], answer["version"]) == ("bible", 1)
    assert "queen" in [item["word"] for item in answer["answers"][:3]]
    assert not {"king", "man", "woman"} & {item["word"] for item in answer["answers"]}
    neighbors = shared.get("/neighbors", params={"model": "bible", "word": "KING", "k": 5, "version": "1"}).json()
    assert neighbors["word"] == "king"
    assert len(neighbors["neighbors"]) == 5

    version = shared.get("/models/bible/versions/1").json()
    assert version["corpus"]["sha256"] == hashlib.sha256(bible).hexdigest()
    problem = shared.get("/neighbors", params={"model": "bible", "word": "kingg"})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json()["missing"] == ["kingg"]
    assert "king" in problem.json()["suggestions"]["kingg"]


def test_a_killed_trainers_job_is_finished_by_another_and_published_once(
    http: httpx.Client, service: Service, verses: bytes
) -> None:
    """SIGKILL of the worker in the middle of a training: its child ends too, the next worker goes on."""
    upload(http, verses)
    job_id = submit(http, epochs=30)["id"]
    wait_for(lambda: http.get(f"/jobs/{job_id}").json()["progress"] > 0.3, 120, "the training to be well under way")
    children = _children(service.trainer.pid)
    assert children
    service.trainer.kill()
    service.trainer.wait()
    wait_for(lambda: not any(_is_alive(child) for child in children), 5, "the orphaned child to end")

    service.trainer = service.start_trainer()
    job = job_in_state(http, job_id, "succeeded", "failed")
    assert (job["state"], job["attempts"], job["version"]) == ("succeeded", 2, 1)
    assert [version["version"] for version in http.get("/models/bible").json()["versions"]] == [1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("algorithm", "changes"), [("word2vec", {"threads": 1, "epochs": 12}), ("glove", {"epochs": 40})]
)
def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_bytes(
    http: httpx.Client, service: Service, verses: bytes, tmp_path: Path, algorithm: str, changes: dict[str, Any]
) -> None:
    """SIGKILL after a checkpoint; the table equals that of a training that nobody interrupted."""
    upload(http, verses)
    whole = job_in_state(http, submit(http, algorithm, "whole", **changes)["id"], "succeeded", "failed")
    assert whole["state"] == "succeeded"

    job_id = submit(http, algorithm, "killed", **changes)["id"]
    checkpoint = tmp_path / "data" / "storage" / "checkpoints" / job_id / "latest"
    wait_for(lambda: checkpoint.exists() and _progress(http, job_id) > 0.4, 120, "a checkpoint")
    service.trainer.kill()
    service.trainer.wait()
    service.trainer = service.start_trainer()
    resumed_at = wait_for(lambda: _training_progress_of_second_attempt(http, job_id), 60, "the second attempt")
    assert resumed_at > 0.2
    assert job_in_state(http, job_id, "succeeded", "failed")["attempts"] == 2
    tables = [
        http.get(f"/models/{model}/versions/1").json()["files"]["table.safetensors"] for model in ("whole", "killed")
    ]
    assert tables[0] == tables[1]
    wait_for(lambda: not checkpoint.exists(), 10, "the checkpoint to be removed")


def _progress(http: httpx.Client, job_id: str) -> float:
    return float(http.get(f"/jobs/{job_id}").json()["progress"])


def _training_progress_of_second_attempt(http: httpx.Client, job_id: str) -> float | None:
    job = http.get(f"/jobs/{job_id}").json()
    is_training = job["attempts"] == 2 and job["phase"] == "training" and job["progress"] > 0.09
    return float(job["progress"]) if is_training or job["state"] == "succeeded" else None


@pytest.mark.parametrize("shared_service", ["sqlite"], indirect=True)
def test_glove_goes_from_upload_to_analogy(shared: httpx.Client, bible: bytes) -> None:
    upload(shared, bible, "counted")
    job = job_in_state(shared, submit(shared, "glove", "counted", "counted", epochs=25)["id"], "succeeded", "failed")
    assert (job["state"], job["algorithm"], job["version"]) == ("succeeded", "glove", 1)
    served_version(shared, 1, "counted")
    nearest = shared.get("/neighbors", params={"model": "counted", "word": "gold", "k": 3}).json()["neighbors"]
    assert "silver" in [item["word"] for item in nearest]
    asked: dict[str, str | int] = {"model": "counted", "a": "father", "b": "son", "c": "daughter", "k": 5}
    answer = shared.get("/analogy", params=asked).json()
    assert "mother" in [item["word"] for item in answer["answers"]]


def test_cancelling_stops_a_running_kernel_within_two_seconds(
    shared: httpx.Client, shared_service: Service, verses: bytes
) -> None:
    upload(shared, verses, "stopped")
    job_id = submit(shared, model="stopped", corpus="stopped", epochs=500)["id"]
    wait_for(lambda: shared.get(f"/jobs/{job_id}").json()["phase"] == "training", 60, "the training to start")
    asked = time.monotonic()
    assert shared.post(f"/jobs/{job_id}/cancel").status_code == 202
    job = job_in_state(shared, job_id, "cancelled", seconds=10)
    # two seconds are promised; a machine that runs other tests as well gets some slack
    assert time.monotonic() - asked < 4
    assert job["finished_at"]
    assert not _children(shared_service.trainer.pid)
    assert shared.get("/models/stopped").status_code == 404


def test_a_hopeless_job_fails_with_what_to_do(shared: httpx.Client, verses: bytes) -> None:
    """Nothing is published; the problem names the reason."""
    upload(shared, verses, "hopeless")
    submitted = submit(shared, model="hopeless", corpus="hopeless", min_count=10_000_000)
    job = job_in_state(shared, submitted["id"], "failed", "succeeded")
    assert job["error"]["type"] == "/problems/vocabulary-empty"
    assert "min_count" in job["error"]["detail"]
    assert shared.get("/models/hopeless").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_storage_that_does_not_answer_ends_nothing(
    http: httpx.Client, service: Service, verses: bytes, tmp_path: Path
) -> None:
    """Uploads say so, jobs wait, what is loaded keeps serving, and all goes on once the storage is back."""
    upload(http, verses)
    job_in_state(http, submit(http, epochs=1)["id"], "succeeded")
    served_version(http, 1)

    folders = [tmp_path / "data" / "storage" / name for name in ("corpora", "versions", "checkpoints")]
    with unreachable(*folders):
        job_id = submit(http, epochs=1)["id"]
        wait_for(lambda: http.get(f"/jobs/{job_id}").json()["retries"], 30, "the job to be put off")
        refused = http.put("/corpora/other", content=b"another text\n")
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/storage-unavailable")
        assert "Retry-After" in refused.headers
        assert http.get("/corpora/other").status_code == 404
        assert served_version(http, 1)

    service.check()
    job = job_in_state(http, job_id, "succeeded", "failed")
    assert (job["version"], job["attempts"], job["not_before"]) == (2, 1, None)


@contextmanager
def unreachable(*folders: Path) -> Iterator[None]:
    """Folders that nobody can enter, not even root: links that lead back to themselves."""
    for folder in folders:
        folder.mkdir(exist_ok=True)
        folder.rename(folder.with_suffix(".aside"))
        folder.symlink_to(folder.name)
    yield
    for folder in folders:
        folder.unlink()
        folder.with_suffix(".aside").rename(folder)


def test_versions_are_swapped_under_load_without_a_failed_request(shared: httpx.Client, verses: bytes) -> None:
    """Two versions, an alias moved to and fro, constant queries: every one succeeds and names one version."""
    upload(shared, verses, "swapped")
    for seed in (1, 2):
        job = submit(shared, model="swapped", corpus="swapped", epochs=2, seed=seed)
        job_in_state(shared, job["id"], "succeeded")
    served_version(shared, 2, "swapped")
    query: dict[str, str | int] = {"model": "swapped", "word": "king"}
    expected = {
        number: shared.get("/neighbors", params=query | {"version": number}).json()["neighbors"] for number in (1, 2)
    }
    assert expected[1] != expected[2]
    stop = threading.Event()
    seen: set[int] = set()
    faults: list[str] = []

    def ask() -> None:
        with httpx.Client(base_url=shared.base_url, timeout=30) as client:
            while not stop.is_set():
                response = client.get("/neighbors", params=query)
                if not response.is_success or response.json()["neighbors"] != expected[response.json()["version"]]:
                    faults.append(response.text)
                else:
                    seen.add(response.json()["version"])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in [1, 2] * 5:
        etag = shared.get("/models/swapped/aliases/latest").headers["ETag"]
        moved = shared.put("/models/swapped/aliases/latest", json={"version": number}, headers={"If-Match": etag})
        assert moved.status_code == 200, moved.text
        served_version(shared, number, "swapped")
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert seen == {1, 2}


def test_queries_go_on_while_trainer_is_gone(shared: httpx.Client, shared_service: Service, verses: bytes) -> None:
    upload(shared, verses, "going-on")
    job_in_state(shared, submit(shared, model="going-on", corpus="going-on", epochs=1)["id"], "succeeded")
    before = served_version(shared, 1, "going-on")
    shared_service.trainer.send_signal(signal.SIGTERM)
    assert shared_service.trainer.wait(10) == 0
    assert served_version(shared, 1, "going-on") == before
    shared_service.trainer = shared_service.start_trainer()


def _children(pid: int) -> list[int]:
    """The jobs of a trainer: copies, so that they have the command of the process that is copied. No rehearsal is."""
    return [child for server in _copies(pid) for child in _copies(server) if _is_job(child)]


def _is_job(pid: int) -> bool:
    try:
        return os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0)
    except ProcessLookupError:
        return False


def _copies(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [child for child in found if _is_alive(child)]


def _is_alive(pid: int) -> bool:
    try:
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
