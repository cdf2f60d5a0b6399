"""One claim of one job: the process that does it, watched and, where it must be, killed."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.core import catalog, jobs
from app.core.catalog import Made, evaluations
from app.core.database import Database
from app.core.errors import (
    DatabaseUnavailable,
    LeaseLost,
    StorageUnavailable,
    TrainingCrashed,
    TrainingStalled,
    WordkinError,
)
from app.core.settings import Settings
from trainer.work import child, metrics
from trainer.work.messages import Advanced, Evaluates, Interrupted, Order, Publishes, Refused, Result
from trainer.work.progress import Overall

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
        self._held_until = time.monotonic() + settings.lease_seconds
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
        elif self._stopping.is_set():
            jobs.release(self._database, self._claim, counts=False)
            self._log("job released")
        else:
            self._give_up(process.exitcode)

    def _log(self, event: str, **values: object) -> None:
        logger.info(event, action=event.replace(" ", "_"), job=self._claim.job_id, **values)

    def _start(self) -> tuple[SpawnProcess, Connection]:
        context = multiprocessing.get_context("spawn")  # numba and faiss hang or abort after a fork
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=child.run, args=(self._order, sending), name=f"job-{self._claim.job_id}")
        process.start()
        sending.close()
        return process, receiving

    def _watch(self, process: SpawnProcess, connection: Connection) -> bool:
        """Wait for a result, an end, a stop or a cancellation; True for the last."""
        heartbeat = self._settings.heartbeat_seconds
        next_beat = 0.0
        while self._result is None and not self._stopping.is_set():
            try:
                if connection.poll(min(heartbeat, 0.2)):
                    self._take(connection.recv())
            except (EOFError, OSError):
                process.join(self._settings.stop_grace_seconds)
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
        """Renew the lease; while the database is down, go on until the lease must have run out."""
        asked_at = time.monotonic()
        metrics.show_progress(self._progress.now)
        try:
            is_cancelled = jobs.renew(
                self._database, self._claim, self._progress.now, lease_seconds=self._settings.lease_seconds
            )
        except DatabaseUnavailable:
            self._check_lease()
            return False
        self._held_until = asked_at + self._settings.lease_seconds
        self._progress.written()
        return is_cancelled

    def _check_lease(self) -> None:
        if time.monotonic() > self._held_until:
            raise LeaseLost(job=self._claim.job_id) from None

    def _end(self, process: SpawnProcess) -> None:
        if self._result is None:
            process.terminate()
        process.join(self._settings.stop_grace_seconds)
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
                self._check_lease()
                time.sleep(self._settings.worker_poll_seconds)
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
        if isinstance(self._result, Interrupted):
            error = StorageUnavailable(self._result.detail)
        elif self._has_stalled():
            error = TrainingStalled(f"No progress for {self._settings.stall_seconds:g} s.")
        else:
            killed = " It was killed, most likely because memory ran out." if exit_code == -signal.SIGKILL else ""
            error = TrainingCrashed(
                f"The process of the job ended with exit code {exit_code}.{killed}", exit_code=exit_code
            )
        if self._claim.attempt >= self._settings.max_attempts:
            jobs.fail(self._database, self._claim, error.problem())
        else:
            jobs.release(self._database, self._claim, counts=True)
        raise error
