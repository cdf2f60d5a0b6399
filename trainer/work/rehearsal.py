"""What a trainer does before its first job: a process that rehearses one, so that its kernels are compiled by then."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from app.core import logs
from app.core.settings import Settings
from trainer.steps.ending import end_with_parent
from trainer.work.forking import FORKING

LESS_THAN_A_JOB = 10
"""Beside a job on the same core it gets a tenth of the time, still enough to notice soon that its trainer has ended."""
FIRST_TO_GO = "1000"
"""Where memory runs out, Linux ends the process with this number before any other."""

logger = structlog.get_logger()


class Rehearsal:
    """At most one rehearsal, which ends with its trainer or before. A job that comes meanwhile is not kept waiting."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.process: BaseProcess | None = None

    def begin(self) -> None:
        """Once, whether it can be or not: without it the first job takes longer, and nothing else."""
        if self.process:
            return
        settings = self._settings
        told = (settings.trainer_threads, settings.scratch, settings.log_level, settings.log_json)
        self.process = FORKING.Process(target=_run, args=told, name="rehearsal", daemon=True)
        with suppress(OSError, EOFError):
            self.process.start()

    def end(self) -> None:
        if self.process and self.process.is_alive():  # else another process may have its number by now
            self.process.kill()
            self.process.join()


def _run(threads: int, scratch: Path, log_level: str, log_json: bool) -> None:
    from trainer.work.small_job import rehearse  # noqa: PLC0415 (kernels belong to processes of their own)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    end_with_parent()
    os.nice(LESS_THAN_A_JOB)
    with suppress(OSError):  # another system, or one that does not let it
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
    logs.configure(log_level, as_json=log_json)
    try:
        rehearse(threads, scratch)
    except Exception as error:  # whatever it is, the first job is not told
        logger.warning("rehearsal failed", action="rehearsal_failed", exc_info=error)
