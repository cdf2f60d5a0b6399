"""Claims jobs and runs each in a process of its own, which it watches and may kill at any time.

Two clocks: the lease says that this worker is alive, the progress that the job moves.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from contextlib import suppress
from pathlib import Path

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from app.core import jobs, names
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, LeaseLost, StorageUnavailable, TrainerBroken, WordkinError, reason
from app.core.leases import LeaseWatch
from app.core.settings import Settings
from app.core.storage import Storage
from trainer.work import metrics
from trainer.work.announcing import Announcer
from trainer.work.attempt import Attempt, try_again
from trainer.work.forking import prepare
from trainer.work.messages import Interrupted, Order
from trainer.work.rehearsal import Rehearsal
from trainer.work.scratch import scratch_folder
from trainer.work.sweep import discard, discard_checkpoints, sweep

SWEEP_SECONDS = 3600.0

logger = structlog.get_logger()


class Worker:
    """One job at a time, until `stop`."""

    def __init__(self, database: Database, storage: Storage, settings: Settings) -> None:
        self._database = database
        self._storage = storage
        self._settings = settings
        self._stopping = threading.Event()
        self._watch = LeaseWatch(settings.lease_seconds)
        self._owed: list[Claim] = []
        self._announcer = Announcer(database, settings)
        self._rehearsal = Rehearsal(settings)
        self._swept_at = -SWEEP_SECONDS
        self.name = f"{platform.node()}-{os.getpid()}"

    def stop(self) -> None:
        """Take no more jobs, and give the running one back to the queue."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`; a database that is down is waited for."""
        prepare()
        logger.info("worker started", action="worker_started", worker=self.name)
        told = None
        while not self._stopping.is_set():
            failed = None
            clear_contextvars()
            try:
                if claim := self._take():
                    told = None
                    metrics.show_job(claim)
                    bind_contextvars(job=claim.job_id, attempt=claim.attempt)  # in every line until the next look
                    try:
                        self._run(claim)
                    finally:
                        metrics.show_job(None)
                    continue
                self._rehearsal.begin()
                self._sweep_now_and_then()
            except DatabaseUnavailable as error:
                self._watch.look_away()
                failed = error.detail
                if failed != told:  # once, not at every look
                    logger.warning("database unavailable", action="database_unavailable", error=failed)
            except StorageUnavailable:
                pass  # it is in the log; files that stay now are removed by a later sweep
            except Exception as error:  # whatever it is, other jobs wait
                logger.exception("work failed", action="work_failed", exc_info=error)
            told = failed
            self._stopping.wait(self._settings.worker_poll_seconds)
        self._rehearsal.end()
        logger.info("worker stopped", action="worker_stopped", worker=self.name)

    def _take(self) -> Claim | None:
        """The next job, after what is owed."""
        self._give_back_owed()
        self._announcer.announce_now_and_then()
        return jobs.claim(
            self._database,
            self.name,
            lease_seconds=self._settings.lease_seconds,
            max_attempts=self._settings.max_attempts,
            share=self._settings.max_running_jobs_per_key,
            watch=self._watch,
        )

    def _sweep_now_and_then(self) -> None:
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            sweep(self._database, self._storage)

    def _run(self, claim: Claim) -> None:
        logger.info("job started", action="job_started", kind=claim.kind, model=claim.model)
        prefix = names.attempt_prefix(claim.job_id, claim.token)
        try:
            with scratch_folder(self._settings.scratch) as folder:
                Attempt(self._database, self._settings, self._order(claim, prefix, folder), self._stopping).run()
        except LeaseLost:
            logger.warning("job lost", action="job_lost")
        except DatabaseUnavailable:
            self._owed.append(claim)
            raise
        except WordkinError as error:
            logger.warning("job failed", action="job_failed", problem=error.slug, detail=error.detail)
        except OSError as error:
            logger.warning("job given back", action="job_given_back", reason=str(error))
            self._give_back(claim, error)
        finally:
            discard(self._database, self._storage, prefix)
            discard_checkpoints(self._database, self._storage, [claim.job_id])

    def _give_back(self, claim: Claim, error: OSError) -> None:
        """The machine of this trainer cannot do the job; perhaps another's can, or this one later."""
        fault = Interrupted(TrainerBroken(f"The trainer cannot work: {reason(error)}.").problem(), counts=True)
        with suppress(LeaseLost):
            try_again(self._database, claim, self._settings, fault, put_off=True)

    def _give_back_owed(self) -> None:
        """What could not be given back before, as the database was away; it costs no attempt."""
        while self._owed:
            with suppress(LeaseLost):
                jobs.release(self._database, self._owed[0], counts=False)
            self._owed.pop(0)

    def _order(self, claim: Claim, prefix: str, scratch: Path) -> Order:
        return Order(
            claim=claim,
            prefix=prefix,
            scratch=str(scratch),
            storage_url=self._settings.storage,
            cache=str(self._settings.cache),
            cache_bytes=self._settings.cache_bytes,
            threads=self._settings.trainer_threads,
            checkpoint_seconds=self._settings.checkpoint_seconds,
            log_level=self._settings.log_level,
            log_json=self._settings.log_json,
        )
