"""``python -m benchmarks.jobs``: how many tiny jobs a trainer does in a minute, so what each pays for its process."""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from app.command.processes import running
from app.core.settings import Settings

HYPERPARAMETERS = {"dim": 16, "epochs": 2, "min_count": 1, "subsampling_threshold": 0}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20)
    n_jobs: int = parser.parse_args().jobs
    os.environ |= {"WORDKIN_LOG_LEVEL": "warning", "WORDKIN_WORKER_POLL_SECONDS": "0.1"}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Settings(data_dir=Path(folder), port=0)) as service,
        httpx.Client(base_url=service.url, timeout=60) as http,
    ):
        http.put("/corpora/tiny", content=_text()).raise_for_status()
        _do(http, 1)  # compiles kernels, where they are not yet
        ended = _do(http, n_jobs)
    first = min(_seconds(job["started_at"]) for job in ended)
    seconds = max(_seconds(job["finished_at"]) for job in ended) - first
    print(f"{n_jobs} jobs in {seconds:.1f} s: {60 * n_jobs / seconds:.0f} a minute, {seconds / n_jobs:.2f} s each")


def _text() -> bytes:
    choose = random.Random(1)  # noqa: S311 (text, no secret)
    words = [f"word{number}" for number in range(36)]
    return "\n".join(" ".join(choose.choices(words, k=10)) for _ in range(200)).encode()


def _do(http: httpx.Client, n_jobs: int) -> list[dict[str, Any]]:
    """Submit so many and wait for their end."""
    body = {"model": "tiny", "corpus": "tiny", "algorithm": "word2vec", "hyperparameters": HYPERPARAMETERS}
    paths = [http.post("/jobs", json=body).raise_for_status().headers["Location"] for _ in range(n_jobs)]
    while True:
        jobs = [http.get(path).json() for path in paths]
        if all(job["state"] == "succeeded" for job in jobs):
            return jobs
        assert not any(job["state"] == "failed" for job in jobs), jobs
        time.sleep(0.5)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


if __name__ == "__main__":
    main()
