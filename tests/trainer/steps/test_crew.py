"""Results come in order, at the pace they are taken; ticks come meanwhile; an error ends the work of all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from trainer.steps import crew as module
from trainer.steps.crew import Crew


class Broken(Exception):
    """What a task or a tick raises."""


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_are_in_the_order_of_the_tasks(threads: int) -> None:
    def work(task: int) -> int:
        time.sleep(0.002 * (task % 3 == 0))
        return task * task

    with Crew(threads) as crew:
        assert list(crew.in_order(work, range(20))) == [task * task for task in range(20)]
        assert list(crew.in_order(work, [])) == []
        assert list(crew.in_order(work, [7])) == [49], "a crew works again"


def test_few_results_wait_to_be_taken() -> None:
    begun = []

    def tasks() -> Iterator[int]:
        for task in range(10):
            begun.append(task)
            yield task

    with Crew(2) as crew:
        results = crew.in_order(lambda task: task, tasks())
        assert next(results) == 0
        assert begun == [0, 1, 2]
        assert next(results) == 1
        assert begun == [0, 1, 2, 3]


def test_it_ticks_while_it_waits_and_what_the_tick_raises_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    ticks, ended = [], threading.Event()

    def tick() -> None:
        ticks.append(threading.current_thread())
        if len(ticks) == 3:
            raise Broken

    def work(crew: Crew) -> None:
        while not crew.is_stopping:
            time.sleep(0.001)
        ended.set()

    with pytest.raises(Broken), Crew(1, tick) as crew:
        crew.on_each(work, [crew])
    assert ticks == [threading.current_thread()] * 3
    assert ended.is_set(), "no task runs when the loop has ended"


def test_a_tick_may_stop_the_work_without_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)

    def work(_: int) -> int:
        while not crew.is_stopping:
            time.sleep(0.001)
        return 5

    def tick() -> None:
        crew.stop()

    with Crew(2, tick) as crew:
        assert list(crew.in_order(work, range(2))) == [5, 5]


def test_an_error_of_one_task_stops_the_others() -> None:
    def work(task: int) -> None:
        if task == 1:
            raise Broken
        while not crew.is_stopping:
            time.sleep(0.001)

    with Crew(2) as crew, pytest.raises(Broken):
        crew.on_each(work, range(2))


def test_an_error_of_the_work_is_not_taken_for_a_tick() -> None:
    def work(_: int) -> None:
        raise TimeoutError("mine")

    with Crew(1) as crew, pytest.raises(TimeoutError, match="mine"):
        crew.on_each(work, [0])


def test_a_loop_that_is_left_runs_no_more_tasks() -> None:
    done: list[int] = []

    def work(task: int) -> int:
        done.append(task)
        return task

    with Crew(1) as crew:
        for result in crew.in_order(work, range(50)):
            if result == 2:
                break
        n_done = len(done)
        assert n_done <= 5
    assert len(done) == n_done
