"""A short attack as each kind of caller; `python -m tests.attacks` goes on for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.attack import application, attack, world

SHORT = {
    "seed": 1,
    "generation": {"max-examples": 1, "database": "none"},
    "phases": {
        "examples": {"enabled": True},
        "coverage": {"enabled": False},
        "fuzzing": {"enabled": False},
        "stateful": {"enabled": False},
    },
}


@pytest.mark.parametrize("caller", ["nobody", "admin"])
def test_nothing_that_the_document_makes_up_finds_a_fault(tmp_path: Path, caller: str) -> None:
    said: list[str] = []
    with world(tmp_path) as made, application(made, caller) as (app, headers):
        found = attack(app, headers, SHORT, said.append)
    assert said == []
    assert len(found.operations) > 40
    if caller == "nobody":
        assert found.statuses[401] > 40
