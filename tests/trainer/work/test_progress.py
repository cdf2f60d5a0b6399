from __future__ import annotations

import pytest

from trainer.work import progress
from trainer.work.messages import Advanced
from trainer.work.progress import Overall


def test_progress_of_a_job_never_goes_back_and_keeps_what_was_measured() -> None:
    overall = Overall()
    overall.take(Advanced("training", None, 0.9, 0.5, 4.0, {"loss": 2.0, "epoch": 1}))
    overall.take(Advanced("publishing", "graph", 0.1, 0.4, 6.0, {"loss": 1.0}))
    assert overall.now is not None
    assert (overall.now.phase, overall.now.step, overall.now.progress) == ("publishing", "graph", 0.5)
    assert (overall.now.eta_seconds, overall.now.measures) == (6.0, {"loss": 1.0, "epoch": 1})


def test_a_history_is_written_once() -> None:
    overall = Overall()
    overall.take(Advanced("training", None, 0.5, 0.5, 4.0, {}, [{"epoch": 1}]))
    overall.take(Advanced("training", None, 0.6, 0.6, 4.0, {}))
    assert overall.now is not None
    assert overall.now.history == [{"epoch": 1}]
    overall.written()
    assert overall.now.history is None
    overall.take(Advanced("training", None, 0.7, 0.7, 4.0, {}))
    assert overall.now.history is None


def test_only_work_that_goes_on_counts_as_movement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forecast of the whole job may change while the step stands still."""
    seconds = 0.0
    monkeypatch.setattr(progress, "monotonic", lambda: seconds)
    overall = Overall()
    overall.take(Advanced("training", None, 0.1, 0.1, 9.0, {}))
    for seconds in (5.0, 10.0):
        overall.take(Advanced("training", None, 0.1, 0.1 + seconds / 100, 9.0, {}))
        assert overall.still_seconds() == seconds
    overall.take(Advanced("training", None, 0.2, 0.2, 9.0, {}))
    assert overall.still_seconds() == 0.0
