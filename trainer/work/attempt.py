"""One claim of one job: the process that does it, watched and, where it must be, killed."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TypeVar

import structlog

from app.core import catalog, jobs
from app.core.database import Database
from app.core.errors import (
    DatabaseUnavailable,
    LeaseLost,
    StorageUnavailable,
    TrainingCrashed,
    TrainingStalled,
    WordkinError,
)
from app.core.jobs import Claim, JobProgress
from app.core.settings import Settings
from trainer.work import child
from trainer.work.kinds import train
from trainer.work.messages import Advanced, Interrupted, Order, Published, Refused

ETA_FROM = 0.01
"""Share of a job below which a guess of what is left would be no more than that."""

T = TypeVar("T")

logger = structlog.get_logger()


class Attempt:
    """One claim of one job, from the start of its process to the end of both."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        claim: Claim,
        prefix: str,
        folder: Path,
        stopping: threading.Event,
    ) -> None:
        self._database = database
        self._settings = settings
        self._claim = claim
        self._prefix = prefix
        self._folder = folder
        self._stopping = stopping
        self._started = time.monotonic()
        self._progress: JobProgress | None = None
        self._moved_at = self._started
        self._held_until = self._started + settings.lease_seconds
        self._result: Published | Refused | Interrupted | None = None

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
            logger.info("job cancelled", action="job_cancelled", job=self._claim.job_id)
        elif isinstance(self._result, Published):
            self._publish(self._result)
        elif isinstance(self._result, Refused):
            jobs.fail(self._database, self._claim, self._result.problem)
            logger.info("job refused", action="job_refused", job=self._claim.job_id, problem=self._result.problem)
        elif self._stopping.is_set():
            jobs.release(self._database, self._claim, counts=False)
            logger.info("job released", action="job_released", job=self._claim.job_id)
        else:
            self._give_up(process.exitcode)

    def _start(self) -> tuple[SpawnProcess, Connection]:
        order = Order(
            claim=self._claim,
            prefix=self._prefix,
            scratch=str(self._folder),
            storage_url=self._settings.storage,
            cache=str(self._settings.cache),
            threads=self._settings.trainer_threads,
            checkpoint_seconds=self._settings.checkpoint_seconds,
        )
        context = multiprocessing.get_context("spawn")  # numba and faiss hang or abort after a fork
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=child.run, args=(order, sending), name=f"job-{self._claim.job_id}")
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
            if time.monotonic() - self._moved_at > self._settings.stall_seconds:
                return False
        return False

    def _take(self, message: object) -> None:
        if isinstance(message, Advanced):
            progress = self._overall(message)
            if self._progress is None or progress.progress > self._progress.progress:
                self._moved_at = time.monotonic()
            self._progress = progress
        elif isinstance(message, Published | Refused | Interrupted):
            self._result = message

    def _overall(self, message: Advanced) -> JobProgress:
        """Progress of the whole job; what a phase does not measure stays as the phase before left it."""
        start, end = train.PHASES[message.phase]
        said = message.progress
        before = self._progress or JobProgress(message.phase, 0.0)
        fraction = max(before.progress, start + (end - start) * min(max(said.fraction, 0.0), 1.0))
        elapsed = time.monotonic() - self._started
        return JobProgress(
            phase=message.phase,
            progress=fraction,
            tokens_per_second=_first(said.tokens_per_second, before.tokens_per_second),
            eta_seconds=elapsed * (1 - fraction) / fraction if fraction > ETA_FROM else None,
            loss=_first(said.loss, before.loss),
            held_out_loss=_first(said.held_out_loss, before.held_out_loss),
            epoch=_first(said.epoch, before.epoch),
        )

    def _beat(self) -> bool:
        """Renew the lease; while the database is down, go on until the lease must have run out."""
        asked_at = time.monotonic()
        try:
            is_cancelled = jobs.renew(
                self._database, self._claim, self._progress, lease_seconds=self._settings.lease_seconds
            )
        except DatabaseUnavailable:
            if time.monotonic() > self._held_until:
                raise LeaseLost(job=self._claim.job_id) from None
            return False
        self._held_until = asked_at + self._settings.lease_seconds
        return is_cancelled

    def _end(self, process: SpawnProcess) -> None:
        if self._result is None:
            process.terminate()
        process.join(self._settings.stop_grace_seconds)
        if process.is_alive():
            process.kill()
            process.join()

    def _publish(self, result: Published) -> None:
        """Make the version visible and end the job, in one transaction that only the lease's holder can make."""
        while True:
            try:
                with self._database.transaction() as session:
                    version = catalog.publish(
                        session, self._claim, self._prefix, result.manifest_sha256, result.manifest
                    )
                    jobs.succeed(session, self._claim, version.number)
            except DatabaseUnavailable:
                if time.monotonic() > self._held_until:
                    raise LeaseLost(job=self._claim.job_id) from None
                time.sleep(self._settings.worker_poll_seconds)
            else:
                logger.info(
                    "version published",
                    action="version_published",
                    job=self._claim.job_id,
                    model=self._claim.model,
                    version=version.number,
                )
                return

    def _give_up(self, exit_code: int | None) -> None:
        """The process ended without a version: try again, or fail when it did so too often."""
        has_stalled = time.monotonic() - self._moved_at > self._settings.stall_seconds
        error: WordkinError
        if isinstance(self._result, Interrupted):
            error = StorageUnavailable(self._result.detail)
        elif has_stalled:
            error = TrainingStalled(f"No progress for {self._settings.stall_seconds:g} s.")
        else:
            error = TrainingCrashed(f"The training process ended with exit code {exit_code}.", exit_code=exit_code)
        if self._claim.attempt >= self._settings.max_attempts:
            jobs.fail(self._database, self._claim, error.problem())
        else:
            jobs.release(self._database, self._claim, counts=True)
        raise error


def _first(now: T | None, before: T | None) -> T | None:
    return before if now is None else now
