"""Kernels that release the interpreter's lock, on threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(work: Callable[[Task], Result], tasks: Iterable[Task], threads: int) -> Iterator[Result]:
    """The results of `work` in the order of `tasks`, at most `threads` + 1 of them unfinished or not yet taken."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as executor:
        try:
            for task in tasks:
                waiting.append(executor.submit(work, task))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
