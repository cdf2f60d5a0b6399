from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection

import pytest

from trainer.steps.progress import Progress
from trainer.work.forecast import Forecast, Step
from trainer.work.messages import Advanced
from trainer.work.telling import Teller


@pytest.fixture
def pipe() -> tuple[Connection, Connection]:
    return multiprocessing.Pipe(duplex=False)


def sent(receiving: Connection) -> list[Advanced]:
    messages = []
    while receiving.poll():
        messages.append(receiving.recv())
    return messages


def test_a_report_says_phase_step_and_measures(pipe: tuple[Connection, Connection]) -> None:
    teller = Teller(pipe[1], Forecast(lambda: 5.0))
    teller.expect({Step("training", "epochs"): 10.0})
    report = teller.report("training")
    report(Progress(0.25, loss=1.5, epoch=2, step="epochs"))
    first, second = sent(pipe[0])
    assert first == Advanced("training", None, 0.0, 0.0, 10.0, {})
    assert second == Advanced("training", "epochs", 0.25, 0.0, 7.5, {"loss": 1.5, "epoch": 2})


def test_a_step_that_is_left_out_is_not_waited_for(pipe: tuple[Connection, Connection]) -> None:
    teller = Teller(pipe[1], Forecast(lambda: 5.0))
    steps = {"graph trial": 1.0, "neighbor table": 10.0, "graph": 20.0, "files": 2.0}
    teller.expect({Step("publishing", name): seconds for name, seconds in steps.items()})
    report = teller.report("publishing")
    report(Progress(1.0, step="graph trial", left_out="graph"))
    report(Progress(0.5, step="neighbor table"))
    assert [(message.eta_seconds, message.measures) for message in sent(pipe[0])] == [(33.0, {}), (12.0, {}), (7.0, {})]


def test_compiling_is_a_phase_of_its_own_that_nobody_knows_the_end_of(pipe: tuple[Connection, Connection]) -> None:
    seconds = [0.0]
    teller = Teller(pipe[1], Forecast(lambda: seconds[0]))
    teller.expect({Step("reading"): 10.0, Step("training"): 5.0})
    report = teller.report("reading")
    teller.compiling(True)
    teller.compiling(True)  # a kernel that another one needs
    teller.compiling(False)
    seconds[0] = 60.0
    report(Progress(0.0))  # from another thread
    teller.compiling(False)
    phases = [(message.phase, message.eta_seconds) for message in sent(pipe[0])]
    assert phases == [("reading", 15.0), *[("compiling", None)] * 4, ("reading", 15.0)]
