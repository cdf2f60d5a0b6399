"""One claim of one job: the process that does it, watched and, where it must be, killed."""

from __future__ import annotations

import math
import signal
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.core import catalog, jobs
from app.core.catalog import Made, evaluations
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, TrainingCrashed, TrainingStalled, WordkinError
from app.core.settings import Settings
from trainer.work import child, metrics
from trainer.work.forking import FORKING
from trainer.work.messages import Advanced, Evaluates, Interrupted, Order, Publishes, Refused, Result, Stopped
from trainer.work.progress import Overall

END_SECONDS = 1.0
"""A process that has said its last word, or closed its pipe, ends within this time or is killed."""

logger = structlog.get_logger()


class Attempt:
    """One claim of one job, from the start of its process to the end of both."""

    def __init__(self, database: Database, settings: Settings, order: Order, stopping: threading.Event) -> None:
        self._database = database
        self._settings = settings
        self._order = order
        self._claim = order.claim
        self._stopping = stopping
        self._progress = Overall()
        self._result: Result | None = None

    def run(self) -> None:
        """See the attempt to its end.

        Raises
        ------
        LeaseLost
            Another worker has the job; nothing was written.
        """
        process, connection = self._start()
        try:
            is_cancelled = self._watch(process, connection)
        finally:
            self._end(process)
        if is_cancelled:
            jobs.acknowledge_cancellation(self._database, self._claim)
            self._log("job cancelled")
        elif isinstance(self._result, Publishes | Evaluates):
            self._succeed(self._result)
        elif isinstance(self._result, Refused):
            jobs.fail(self._database, self._claim, self._result.problem)
            self._log("job refused", problem=self._result.problem)
        elif isinstance(self._result, Interrupted):
            self._log("job interrupted", problem=self._result.problem)
            try_again(self._database, self._claim, self._settings, self._result, put_off=True)
        elif isinstance(self._result, Stopped) or self._stopping.is_set():
            jobs.release(self._database, self._claim, counts=False)
            self._log("job released")
        else:
            self._give_up(process.exitcode)

    def _log(self, event: str, **values: object) -> None:
        logger.info(event, action=event.replace(" ", "_"), **values)

    def _start(self) -> tuple[BaseProcess, Connection]:
        receiving, sending = FORKING.Pipe(duplex=False)
        process = FORKING.Process(target=child.run, args=(self._order, sending), name=f"job-{self._claim.job_id}")
        try:
            process.start()
        except EOFError as error:  # the process that forks was killed just now; another is started for the next job
            raise OSError("no process could be started") from error
        finally:
            sending.close()
        return process, receiving

    def _watch(self, process: BaseProcess, connection: Connection) -> bool:
        """Wait for a result, an end or a cancellation; True for the last. Once stopping, not beyond the grace."""
        heartbeat = self._settings.heartbeat_seconds
        next_beat, ends_at = 0.0, math.inf
        while self._result is None and time.monotonic() < ends_at:
            if self._stopping.is_set() and ends_at == math.inf:
                ends_at = time.monotonic() + self._settings.stop_grace_seconds
                process.terminate()
            try:
                if connection.poll(min(heartbeat, 0.2)):
                    self._take(connection.recv())
            except (EOFError, OSError):
                process.join(END_SECONDS)
                return False
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + heartbeat
                if self._beat():
                    return True
            if self._has_stalled():
                return False
        return False

    def _take(self, message: Advanced | Result) -> None:
        if isinstance(message, Advanced):
            self._progress.take(message)
        else:
            self._result = message

    def _has_stalled(self) -> bool:
        return self._progress.still_seconds() > self._settings.stall_seconds

    def _beat(self) -> bool:
        """Renew the lease; while the database is down, go on: who took the job meanwhile is told by the next beat."""
        metrics.show_progress(self._progress.now)
        try:
            is_cancelled = jobs.renew(
                self._database, self._claim, self._progress.now, lease_seconds=self._settings.lease_seconds
            )
        except DatabaseUnavailable:
            return False
        self._progress.written()
        return is_cancelled

    def _end(self, process: BaseProcess) -> None:
        if self._result is not None:
            process.join(END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()

    def _succeed(self, result: Publishes | Evaluates) -> None:
        """Make the result visible and end the job, in one transaction that only the lease's holder can make."""
        while True:
            try:
                with self._database.transaction() as session:
                    told = self._keep(session, result)
                    jobs.succeed(session, self._claim, told, self._progress.now)
            except DatabaseUnavailable:
                if self._stopping.wait(self._settings.worker_poll_seconds):
                    raise
            else:
                self._log("job succeeded", model=self._claim.model, version=told.get("version"))
                return

    def _keep(self, session: Session, result: Publishes | Evaluates) -> dict[str, Any]:
        """Make the rows of a result; what the job's own row says of it."""
        if isinstance(result, Evaluates):
            version = catalog.get_version(session, result.model, result.version)
            row = evaluations.add(session, version, self._claim.job_id, result.evaluation)
            return {"evaluation": row.id, **result.told}
        made = Made(result.manifest_sha256, result.manifest, result.evaluation, result.base)
        published = catalog.publish(session, self._claim, self._order.prefix, made)
        held_back = [each.model_dump(mode="json", exclude_none=True) for each in published.held_back]
        return {"version": published.version.number, **({"held_back": held_back} if held_back else {}), **result.told}

    def _give_up(self, exit_code: int | None) -> None:
        """The process ended without a result: try again, or fail when it did so too often."""
        error: WordkinError
        if self._has_stalled():
            error = TrainingStalled(f"No progress for {self._settings.stall_seconds:g} s.")
        else:
            killed = " It was killed, most likely because memory ran out." if exit_code == -signal.SIGKILL else ""
            error = TrainingCrashed(
                f"The process of the job ended with exit code {exit_code}.{killed}", exit_code=exit_code
            )
        crash = Interrupted(error.problem(), counts=True)
        try_again(self._database, self._claim, self._settings, crash, put_off=False)
        raise error


def try_again(database: Database, claim: Claim, settings: Settings, fault: Interrupted, *, put_off: bool) -> None:
    """Give the job back to the queue, or fail it when it was tried too often."""
    tried, most = (claim.attempt, settings.max_attempts) if fault.counts else (claim.retries, settings.max_retries)
    if tried >= most:
        jobs.fail(database, claim, fault.problem)
    else:
        jobs.release(database, claim, counts=fault.counts, put_off=put_off)
