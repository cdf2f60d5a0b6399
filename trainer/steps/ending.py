"""How the process of a job ends before its time: asked to, or because nobody is left who could."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing import connection

LOOK_SECONDS = 1.0


class HandedBack(Exception):
    """The process was asked to end, and what could be saved is saved."""


class Ending:
    """Whether this process was asked to end; who saves something does so then, and raises `HandedBack`."""

    def __init__(self) -> None:
        self.is_asked = False

    def ask(self, *_: object) -> None:
        """As the handler of a signal."""
        self.is_asked = True

    def check(self) -> None:
        if self.is_asked:
            raise HandedBack


def end_with_parent() -> None:
    """End this process, without a word, when the one that asked for it, or the one that forked it, has ended.

    A process that was killed cannot stop those that it has started: they notice by themselves.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    forked_by = os.getppid()

    def watch() -> None:
        while os.getppid() == forked_by and not connection.wait([parent.sentinel], LOOK_SECONDS):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
