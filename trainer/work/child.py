"""The process of one job, without a database: it says what it does over a pipe, its result last."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection as process_connection
from multiprocessing.connection import Connection

from app.core.errors import StorageUnavailable, WordkinError
from trainer.steps.disk import full_disk_named
from trainer.work.kinds import train
from trainer.work.messages import Interrupted, Order, Refused


def run(order: Order, connection: Connection) -> None:
    """Do the job; the last message is the result. Without one the process has crashed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    _end_with_parent()
    try:
        with full_disk_named("No space is left in the trainer's scratch folder or storage"):
            done = train.run(order, connection)
        connection.send(done)
    except StorageUnavailable as error:
        connection.send(Interrupted(error.detail))
    except WordkinError as error:
        connection.send(Refused(error.problem()))


def _end_with_parent() -> None:
    """A worker that was killed cannot stop its process: the process notices by itself."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        process_connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
