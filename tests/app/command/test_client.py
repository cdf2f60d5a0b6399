from __future__ import annotations

from typing import Any

import pytest

from app.command.client import _shown


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
