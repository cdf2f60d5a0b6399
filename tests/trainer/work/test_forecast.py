"""On simulated clocks: what a job says of itself, against what then happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from trainer.work.forecast import UNKNOWN_SHARE, Forecast, Step

READING, TRAINING = Step("reading"), Step("training")
TABLE, GRAPH, FILES = (Step("publishing", name) for name in ("neighbor table", "graph", "files"))
TICK = 0.5


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Told:
    """What was said when: seconds since the start, progress and ETA."""

    at: float
    progress: float
    eta: float | None


def simulate(costs: dict[Step, float], expected: dict[Step, float]) -> list[Told]:
    """A job whose steps cost what `costs` says; what is ahead is known once the corpus is read."""
    clock = Clock()
    forecast, told = Forecast(clock), []
    for step, seconds in costs.items():
        n_ticks = max(int(seconds / TICK), 1)
        for tick in range(n_ticks + 1):
            forecast.advance(step, tick / n_ticks)
            told.append(Told(clock() - 100.0, forecast.progress, forecast.eta_seconds))
            clock.seconds += seconds / n_ticks if tick < n_ticks else 0.0
        if step == READING:
            forecast.expect({later: each for later, each in expected.items() if later != READING})
    return told


JOBS = {
    "small, training": {READING: 0.5, TRAINING: 8.0, TABLE: 1.0, FILES: 0.1},
    "large vocabulary": {READING: 1.0, TRAINING: 1.0, TABLE: 61.0, GRAPH: 53.0, FILES: 1.0},
    "long reading": {READING: 25.0, TRAINING: 45.0, TABLE: 20.0, FILES: 2.0},
}


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("of_training", [0.5, 1.0, 2.0])
def test_the_eta_is_near_from_a_third_of_the_job_on(job: str, of_training: float) -> None:
    """Training was expected to take half or twice its time, publishing 10 % more than it does."""
    costs = JOBS[job]
    expected = {step: seconds * 1.1 for step, seconds in costs.items()} | {TRAINING: costs[TRAINING] * of_training}
    total = sum(costs.values())
    late = [told for told in simulate(costs, expected) if total / 3 <= told.at < total]
    assert len(late) > 10
    for told in late:
        assert told.eta == pytest.approx(total - told.at, rel=0.25, abs=0.5)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("factor", [0.1, 1.0, 10.0])
def test_progress_never_goes_back_and_ends_at_one(job: str, factor: float) -> None:
    costs = JOBS[job]
    told = simulate(costs, {step: seconds * factor for step, seconds in costs.items()})
    progress = [one.progress for one in told]
    assert progress == sorted(progress)
    assert 0 <= progress[0] < 0.1
    assert progress[-1] == pytest.approx(1.0)


def test_the_bar_is_the_share_of_the_time() -> None:
    costs = JOBS["large vocabulary"]
    for told in simulate(costs, costs):
        assert told.progress == pytest.approx(told.at / sum(costs.values()), abs=UNKNOWN_SHARE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_pause_is_no_part_of_a_speed(clock: Clock) -> None:
    forecast = Forecast(clock)
    forecast.expect({})
    advance = _at(clock, forecast)
    advance(0.0, 0.1)
    forecast.pause()
    clock.seconds += 50.0
    forecast.go_on()
    advance(4.0, 0.5)
    assert forecast.eta_seconds == pytest.approx(5.0)


def test_what_a_checkpoint_had_done_is_no_part_of_a_speed(clock: Clock) -> None:
    forecast = Forecast(clock)
    forecast.expect({})
    advance = _at(clock, forecast)
    advance(0.0, 0.0)
    advance(1.0, 0.6)
    advance(4.0, 0.7)
    assert forecast.eta_seconds == pytest.approx(0.3 * 4.0 / 0.1)


def test_a_machine_that_slows_down_is_noticed(clock: Clock) -> None:
    """100 s at 0.5 % a second, then 0.1 %: within half a minute the old speed is forgotten."""
    forecast = Forecast(clock)
    forecast.expect({})
    advance = _at(clock, forecast)
    for tick in range(100):
        advance(1.0, 0.005 * (tick + 1))
    for tick in range(31):
        advance(1.0, 0.5 + 0.001 * (tick + 1))
    assert forecast.eta_seconds == pytest.approx((1 - 0.531) / 0.001, rel=0.01)


def test_nothing_is_said_of_a_step_that_nothing_is_known_of(clock: Clock) -> None:
    forecast = Forecast(clock)
    for fraction in (0.0, 0.5, 0.9):
        clock.seconds += 1.0
        forecast.advance(READING, fraction)
        assert (forecast.eta_seconds, forecast.progress) == (None, UNKNOWN_SHARE * fraction)


def test_a_phase_named_alone_is_its_first_step(clock: Clock) -> None:
    forecast = Forecast(clock)
    forecast.expect({TRAINING: 5.0, TABLE: 6.0, GRAPH: 7.0, FILES: 1.0})
    forecast.advance(Step("publishing"), 0.0)
    assert forecast.eta_seconds == pytest.approx(14.0)
    forecast.advance(TABLE, 0.0)
    assert forecast.eta_seconds == pytest.approx(14.0)
    forecast.advance(FILES, 0.0)
    assert forecast.eta_seconds == pytest.approx(1.0)


def _at(clock: Clock, forecast: Forecast) -> Callable[[float, float], None]:
    """Advance the training after so many seconds."""

    def advance(seconds: float, fraction: float) -> None:
        clock.seconds += seconds
        forecast.advance(TRAINING, fraction)

    return advance
