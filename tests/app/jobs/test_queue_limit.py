"""The queue takes so many jobs and no more, and none while there is no space for what it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.storage import Storage
from tests.published import World


def test_a_job_beyond_the_limit_is_refused_until_one_has_ended(tmp_path: Path) -> None:
    world = World(tmp_path, max_queued_jobs=2)
    with world.served() as http:
        http.put("/corpora/c", content=b"a b c\n")
        job = {"model": "m", "corpus": "c", "algorithm": "glove"}
        first, second, third = (
            http.post("/jobs", json=job, headers={"Idempotency-Key": key}) for key in ("one", "two", "three")
        )
        assert [answer.status_code for answer in (first, second, third)] == [202, 202, 429]
        assert (third.json()["type"], third.json()["n_queued"]) == ("/problems/queue-full", 2)
        again = http.post("/jobs", json=job, headers={"Idempotency-Key": "two"})
        assert again.json()["id"] == second.json()["id"], "what was accepted is not refused"
        http.post(f"{first.headers['Location']}/cancel")
        assert http.post("/jobs", json=job, headers={"Idempotency-Key": "three"}).status_code == 202
    world.close()


def test_no_job_is_taken_below_the_floor_of_free_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, min_free_bytes=1000)
    with world.served() as http:
        http.put("/corpora/c", content=b"a b c\n")
        job, headers = {"model": "m", "corpus": "c", "algorithm": "glove"}, {"Idempotency-Key": "one"}
        monkeypatch.setattr(Storage, "free_bytes", lambda _: 999)
        refused = http.post("/jobs", json=job, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (507, "/problems/storage-full")
        assert refused.json()["free_bytes"] == 999
        monkeypatch.undo()
        taken = http.post("/jobs", json=job, headers=headers)
        assert taken.status_code == 202
        monkeypatch.setattr(Storage, "free_bytes", lambda _: 999)
        assert http.post("/jobs", json=job, headers=headers).json()["id"] == taken.json()["id"], "it was accepted"
    world.close()
