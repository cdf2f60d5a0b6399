from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from app.command.client import Client
from benchmarks.end_to_end import answered


class Served:
    """A service whose job ends at once; `asked` are the paths that were read."""

    def __init__(self, state: str) -> None:
        self._job = {"id": "1", "state": state, "phase": None, "version": 1 if state == "succeeded" else None}
        self.asked: list[str] = []

    def upload(self, *_: Any) -> None:
        return None

    def submit(self, _: Any) -> dict[str, Any]:
        return self._job

    def get(self, path: str, **_: Any) -> None:
        self.asked.append(path)


def test_a_job_that_failed_is_no_time_whatever_an_earlier_version_answers() -> None:
    failed, well = Served("failed"), Served("succeeded")
    with pytest.raises(RuntimeError, match="has not succeeded"):
        answered(cast("Client", failed), Path("text"), {})
    answered(cast("Client", well), Path("text"), {})
    assert (failed.asked, well.asked) == ([], ["/neighbors"])
