"""Threads for kernels that release the interpreter's lock: the one loop that all steps share their work by."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

TICK_SECONDS = 0.5
"""How often a crew ticks."""


def _nothing() -> None:
    """The tick of a crew that has nothing to say."""


class Crew:
    """Threads, and the thread that waits for them.

    Parameters
    ----------
    threads : how many tasks run at a time
    tick : called by the waiting thread about every `TICK_SECONDS`. It may call `stop`; what it raises ends the work
    """

    def __init__(self, threads: int, tick: Callable[[], None] = _nothing) -> None:
        self.threads = threads
        self.is_stopping = False
        """Whether a task that goes on for long should return now."""
        self._tick = tick
        self._ticked_at = time.monotonic()
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._pool.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """Ask the tasks that run to return."""
        self.is_stopping = True

    def in_order(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Run `work` on every task and yield the results in the order of the tasks.

        At most ``threads + 1`` tasks are unfinished, or finished and not yet taken. When the loop over the results
        ends, by its end or by an error, no task runs any more.
        """
        self.is_stopping = False
        waiting: deque[Future[Result]] = deque()

        def run(task: Task) -> Result:
            try:
                return work(task)
            except BaseException:
                self.stop()  # the others need not go on
                raise

        try:
            for task in tasks:
                waiting.append(self._pool.submit(run, task))
                if len(waiting) > self.threads:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            self.stop()
            wait([future for future in waiting if not future.cancel()])

    def on_each(self, work: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Run `work` on every task; return when all have ended."""
        for _ in self.in_order(work, tasks):
            pass

    def _result(self, future: Future[Result]) -> Result:
        while True:
            with contextlib.suppress(TimeoutError):
                future.exception(max(0.0, self._ticked_at + TICK_SECONDS - time.monotonic()))
            is_done = future.done()
            if time.monotonic() - self._ticked_at >= TICK_SECONDS:
                self._ticked_at = time.monotonic()
                self._tick()
            if is_done:
                return future.result()
