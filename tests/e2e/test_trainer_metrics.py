"""What a trainer tells Prometheus while it works."""

from __future__ import annotations

import re
import socket

import httpx
import pytest

from app.command.processes import Service
from app.core.settings import Settings
from tests.e2e.conftest import job_in_state, submit, wait_for
from trainer.work import metrics


@pytest.fixture
def metrics_url(monkeypatch: pytest.MonkeyPatch) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("WORDKIN_TRAINER_METRICS_PORT", str(port))
    return f"http://127.0.0.1:{port}/metrics"


def figure(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.M)
    assert found, name
    return float(found[1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_trainer_tells_its_job_and_its_speed(
    metrics_url: str, service: Service, http: httpx.Client, bible: bytes
) -> None:
    def told() -> str:
        return httpx.get(metrics_url).text

    wait_for(lambda: _answers(metrics_url), 30, "the trainer to answer")
    assert figure(told(), "wordkin_trainer_busy") == 0
    assert http.put("/corpora/bible", content=bible).status_code == 201
    job = submit(http, epochs=1000)
    wait_for(lambda: figure(told(), "wordkin_trainer_tokens_per_second") > 0, 60, "a training to be measured")
    assert figure(told(), "wordkin_trainer_busy") == 1
    assert 0 < figure(told(), "wordkin_trainer_job_progress") < 1
    assert f'wordkin_trainer_job_info{{id="{job["id"]}",kind="train",model="bible"}} 1.0' in told()
    http.post(f"/jobs/{job['id']}/cancel")
    job_in_state(http, job["id"], "cancelled")
    wait_for(lambda: figure(told(), "wordkin_trainer_busy") == 0, 20, "the trainer to be free")
    assert figure(told(), "wordkin_trainer_tokens_per_second") == 0
    assert "wordkin_trainer_job_info 1.0" in told()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"WORDKIN_TRAINER_METRICS_PORT={port}: Address already in use"):
            metrics.serve(Settings(trainer_metrics_port=port))
