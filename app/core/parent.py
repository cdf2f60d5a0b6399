"""A process that ends with the one that started it, however that ends."""

from __future__ import annotations

import os
import signal
import sys
import threading

FLAG = "--end-with-stdin"
"""Says that standard input is a pipe which nobody but the parent holds open."""


def end_with_parent() -> None:
    """Ask this process to end, as SIGTERM does, once the pipe is closed; without the flag do nothing."""
    if FLAG in sys.argv:
        threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
