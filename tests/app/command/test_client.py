from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from rich.console import Console

from app.command import client
from app.command.client import Client, _detail, _shown
from app.command.failures import NoService, ServiceError


@pytest.mark.parametrize(
    ("state", "phase", "step", "words"),
    [
        ("queued", None, None, "waiting"),
        ("running", None, None, "starting"),
        ("running", "training", None, "training"),
        ("running", "publishing", "neighbor table", "publishing: neighbor table"),
        ("running", "compiling", None, "compiling (first time on this machine)"),
        ("succeeded", "publishing", "files", "succeeded"),
    ],
)
def test_the_line_says_phase_and_step(state: str, phase: str | None, step: str | None, words: str) -> None:
    numbers: dict[str, Any] = {"tokens_per_second": None, "loss": None, "eta_seconds": None}
    assert _shown({"state": state, "phase": phase, "step": step} | numbers)["phase"] == words


def test_the_line_says_how_fast_it_is_while_it_reads_too() -> None:
    reading = {"state": "running", "phase": "reading", "step": None, "loss": None, "eta_seconds": None}
    said = [_shown(reading | {"tokens_per_second": speed})["speed"] for speed in (None, 23_456, 1_234_567)]
    assert said == ["", "23.5 k tokens/s", "1.23 M tokens/s"]


def test_a_problem_is_told_by_the_names_of_the_command_line() -> None:
    said = "it is valid CP949: add ?encoding=cp949."
    assert _detail({"detail": said}) == "it is valid CP949: add --encoding cp949."
    assert _detail({"detail": "say its encoding with ?encoding=, or"}) == "say its encoding with --encoding NAME, or"


class _Service(httpx.MockTransport):
    """Answers what it is given, one after the other; nothing is a service that is away."""

    def __init__(self, answers: list[httpx.Response | None]) -> None:
        super().__init__(self._answer)
        self._answers = answers
        self.asked: list[tuple[str, str | None]] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.path, request.headers.get("Last-Event-ID")))
        answer = self._answers.pop(0)
        if answer is None:
            raise httpx.ConnectError("refused")
        return answer


def job(state: str, phase: str | None = None) -> dict[str, Any]:
    measured = dict.fromkeys(("step", "tokens_per_second", "loss", "eta_seconds"))
    return measured | {"state": state, "phase": phase, "progress": 0.5}


def stream(*events: tuple[str | None, dict[str, Any]]) -> httpx.Response:
    """As the service sends it, quiet for a while after each; a line separator inside of a text ends no line."""
    told = ""
    for number, each in events:
        told += f"id: {number}\n" if number else ""
        told += f"event: {each['state']}\ndata: {json.dumps(each, ensure_ascii=False)}\n\n: keep-alive\n\n"
    return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text=told)


def following(monkeypatch: pytest.MonkeyPatch, answers: list[httpx.Response | None]) -> tuple[Client, _Service]:
    monkeypatch.setattr(client, "RETRY_SECONDS", 0)
    service, asking = _Service(answers), Client("http://away")
    asking._http = httpx.Client(transport=service, base_url=asking.url)
    return asking, service


def test_a_job_is_followed_by_its_events_through_cuts_outages_and_full_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = httpx.Response(503, json={"type": "/problems/streams-busy", "status": 503, "title": "busy"})
    answers = [
        stream(("1", job("queued")), ("2", job("running"))),
        httpx.Response(200, json=job("running")),
        *[None] * 4,
        busy,
        httpx.Response(503, json={"type": "/problems/database-unavailable", "status": 503, "title": "away"}),
        busy,
        httpx.Response(200, json=job("running")),
        stream((None, job("running", "between\u2028two")), ("3", job("succeeded")), ("end", job("succeeded"))),
    ]
    asking, service = following(monkeypatch, answers)
    console = Console(file=io.StringIO(), width=200)
    assert asking.follow("1", console) == job("succeeded")
    told = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert told.count("The service at http://away does not answer; waiting for it.") == 1
    events, itself = "/jobs/1/events", ("/jobs/1", None)
    assert service.asked == [(events, None), itself, *[(events, "2"), itself] * 4, (events, "2")]


def test_what_does_not_come_back_and_what_is_gone_ends_the_following(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "AWAY_SECONDS", 0)
    asking, _ = following(monkeypatch, [None] * 1000)
    with pytest.raises(NoService):
        asking.follow("1", Console(file=io.StringIO()))
    gone = [httpx.Response(404, json={"type": "/problems/job-not-found", "status": 404, "title": "Gone"})] * 2
    asking, service = following(monkeypatch, [stream(("1", job("queued"))), *gone])
    with pytest.raises(ServiceError, match="Gone"):
        asking.follow("1", Console(file=io.StringIO()))
    assert len(service.asked) == 2
