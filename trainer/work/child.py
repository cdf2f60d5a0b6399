"""The process of one job, without a database: it says what it does over a pipe, its result last."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from app.core import logs
from app.core.errors import (
    JobUnreadable,
    MemoryShort,
    StorageFull,
    StorageUnavailable,
    TrainerBroken,
    WordkinError,
    reason,
)
from app.core.payloads import KINDS as PAYLOADS
from app.core.storage import Storage
from trainer.steps.disk import full_disk_named
from trainer.steps.ending import Ending, HandedBack, end_with_parent
from trainer.work.context import context_of
from trainer.work.messages import Interrupted, Order, Refused, Result, Stopped
from trainer.work.telling import Teller

logger = structlog.get_logger()


def run(order: Order, connection: Connection) -> None:
    """Do the job; the last message is the result. Without one the process has crashed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    logs.configure(order.log_level, as_json=order.log_json)
    ending = Ending()
    signal.signal(signal.SIGTERM, ending.ask)
    end_with_parent()
    with bound_contextvars(job=order.claim.job_id, attempt=order.claim.attempt):
        connection.send(_result(order, connection, ending))


def _result(order: Order, connection: Connection, ending: Ending) -> Result:
    try:
        with full_disk_named("No space is left in the trainer's scratch folder or storage"):
            return _do(order, connection, ending)
    except HandedBack:
        return Stopped()
    except WordkinError as error:
        return _failed(error)
    except OSError as error:
        logger.warning("job broken off", action="job_broken_off", exc_info=error)
        return Interrupted(TrainerBroken(f"The trainer cannot work: {reason(error)}.").problem(), counts=True)
    except MemoryError as error:
        short = MemoryShort(f"The job needs more memory than there is: {error or 'no more could be had'}.")
        return Refused(short.problem())


def _failed(error: WordkinError) -> Interrupted | Refused:
    """A store that does not answer is waited for; a disk that was found full, a few times."""
    if isinstance(error, StorageUnavailable):
        return Interrupted(error.problem(), counts=False)
    if isinstance(error, StorageFull) and "needed_bytes" not in error.members:  # else it was refused beforehand
        return Interrupted(error.problem(), counts=True)
    return Refused(error.problem())


def _do(order: Order, connection: Connection, ending: Ending) -> Result:
    from trainer.kernels.compiling import compilations_told  # noqa: PLC0415 (kernels belong to jobs' processes alone)
    from trainer.work.kinds import KINDS  # noqa: PLC0415 (kernels and FAISS belong to jobs' processes alone)

    claim = order.claim
    if claim.kind not in KINDS:
        raise JobUnreadable(f"This trainer knows no kind of job {claim.kind!r}.", kind=claim.kind)
    try:
        payload = PAYLOADS[claim.kind].model_validate(claim.payload)
    except ValidationError as error:
        raise JobUnreadable(f"The payload of this {claim.kind} job cannot be read: {error}", kind=claim.kind) from error
    teller = Teller(connection)
    storage = Storage(order.storage_url, cache=Path(order.cache), cache_bytes=order.cache_bytes)
    with compilations_told(teller.compiling):
        return KINDS[claim.kind](payload, context_of(order, storage, teller, ending))
