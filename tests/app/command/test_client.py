from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from app.command import client
from app.command.client import Client, _shown
from app.command.failures import NoService


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


class _Away(Client):
    """A service that is away for some answers."""

    def __init__(self, answers: list[dict[str, Any] | None]) -> None:
        super().__init__("http://away")
        self.answers = answers

    def get(self, *_: object, **__: Any) -> dict[str, Any]:
        answer = self.answers.pop(0)
        if answer is None:
            raise NoService("No service answers.")
        return answer


def job(state: str) -> dict[str, Any]:
    measured = dict.fromkeys(("phase", "step", "tokens_per_second", "loss", "eta_seconds"))
    return measured | {"state": state, "progress": 0.5}


def test_a_service_that_restarts_is_waited_for_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RETRY_SECONDS", "POLL_SECONDS"):
        monkeypatch.setattr(client, name, 0)
    console = Console(file=io.StringIO(), width=200)
    away = _Away([job("running"), None, None, job("running"), None, job("succeeded")])
    assert away.follow("1", console)["state"] == "succeeded"
    told = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert told.count("The service at http://away does not answer; waiting for it.") == 2
    monkeypatch.setattr(client, "AWAY_SECONDS", 0)
    with pytest.raises(NoService):
        _Away([job("running"), *[None] * 1000]).follow("1", console)
