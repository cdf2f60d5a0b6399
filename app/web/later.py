"""Routes that an application does not start with."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from threading import Lock

from starlette.routing import BaseRoute


class LaterRoutes:
    """Routes that are made, and their modules imported, when somebody first asks for what the others are not for.

    Most processes only search: they start in less time and hold less memory without them.

    Parameters
    ----------
    routes : the application's own list
    place : where in it they belong
    make : gives them
    """

    def __init__(self, routes: list[BaseRoute], place: int, make: Callable[[], Sequence[BaseRoute]]) -> None:
        self._routes = routes
        self._place = place
        self._make = make
        self._are_there = False
        self._adding = Lock()

    def add(self) -> None:
        """Take them in, if that has not been done yet. It takes up to a second, so not on an event loop."""
        with self._adding:
            if not self._are_there:
                self._routes[self._place : self._place] = self._make()
                self._are_there = True

    def settle(self) -> None:
        """Let what they brought never be collected, where that holds for what the process started with.

        A full collection among all of it stopped every request for 0.08 s.
        """
        if gc.get_freeze_count():
            gc.freeze()
