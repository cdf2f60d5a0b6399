"""Says when kernels are compiled, which they are once on a machine; later they come from the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event

COMPILES = "numba:compile"
"""What numba calls its compiling of a function that its cache does not have."""


class _Told(event.Listener):
    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell = tell

    def on_start(self, event: event.Event) -> None:  # noqa: ARG002 (the listener's signature)
        self._tell(True)

    def on_end(self, event: event.Event) -> None:  # noqa: ARG002 (the listener's signature)
        self._tell(False)


@contextmanager
def compilations_told(tell: Callable[[bool], None]) -> Iterator[None]:
    """Call `tell` with True where a kernel begins to be compiled and with False where it ends, also one within another.

    It is called on the thread that compiles.
    """
    listener = _Told(tell)
    event.register(COMPILES, listener)
    try:
        yield
    finally:
        event.unregister(COMPILES, listener)
