from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from app.command.client import Client
from benchmarks import end_to_end
from benchmarks.end_to_end import answered
from benchmarks.setup import Setup

WITH_GENSIM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock
from benchmarks import end_to_end
from benchmarks.setup import Setup
assert "gensim.models" not in sys.modules
were_there = []
end_to_end.time = SimpleNamespace(perf_counter=lambda: were_there.append("gensim.models" in sys.modules) or 0.0)
end_to_end.gensim_model, end_to_end.gensim_seconds = lambda *_: Mock(), lambda *_: 0.0
end_to_end._gensim(Setup(Path("text"), Path(), Path(), 2, 1, None, with_gensim=True), 1)
print(were_there)
"""


class Served:
    """A service whose job ends at once; `asked` are the paths that were read."""

    def __init__(self, state: str) -> None:
        self._job = {"id": "1", "state": state, "phase": None, "version": 1 if state == "succeeded" else None}
        self.asked: list[str] = []
        self.models: list[tuple[str, str]] = []
        """Of each submission and of the question after it."""

    def upload(self, *_: Any) -> None:
        return None

    def submit(self, submission: Any) -> dict[str, Any]:
        self._model = submission["model"]
        return self._job

    def get(self, path: str, **said: Any) -> None:
        self.asked.append(path)
        self.models.append((self._model, said["model"]))


def test_a_job_that_failed_is_no_time_whatever_an_earlier_version_answers() -> None:
    failed, well = Served("failed"), Served("succeeded")
    with pytest.raises(RuntimeError, match="has not succeeded"):
        answered(cast("Client", failed), Path("text"), {})
    answered(cast("Client", well), Path("text"), {})
    assert (failed.asked, well.asked) == ([], ["/neighbors"])


def test_no_version_is_turned_towards_an_earlier_one() -> None:
    """Each job makes the first version of a model, and that is asked."""
    served = Served("succeeded")
    for _ in range(2):
        answered(cast("Client", served), Path("text"), {})
    (first, asked_first), (second, asked_second) = served.models
    assert (first, second) == (asked_first, asked_second)
    assert first != second


def test_the_service_is_not_timed_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has done a job of a twentieth of the text before."""
    jobs: list[tuple[int, dict[str, Any]]] = []

    @contextmanager
    def service() -> Iterator[None]:
        yield None

    def seconds(_: None, text: Path, hyperparameters: dict[str, Any]) -> float:
        jobs.append((text.read_bytes().count(b"\n"), hyperparameters))
        return float(len(jobs))

    (text := tmp_path / "text").write_bytes(b"a line of a text\n" * 40)
    setup = Setup(text, tmp_path, tmp_path, 2, 1, None, with_gensim=True)
    monkeypatch.setattr(end_to_end, "_service", service)
    monkeypatch.setattr(end_to_end, "_seconds", seconds)
    assert end_to_end._ours(setup, 7).value == 2.0
    usual = {"dim": 100, "epochs": 1, "threads": 2}
    assert jobs == [(3, usual), (40, usual | {"seed": 7})]


def test_gensim_is_not_timed_while_it_is_imported() -> None:
    said = subprocess.run([sys.executable, "-c", WITH_GENSIM], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert said == "[True, True]\n"
