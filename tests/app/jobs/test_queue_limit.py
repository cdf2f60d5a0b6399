"""The queue takes so many jobs and no more."""

from __future__ import annotations

from pathlib import Path

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
