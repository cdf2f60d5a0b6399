"""The process of one job, without a database: it says what it does over a pipe, its result last."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection
from pathlib import Path

from pydantic import ValidationError

from app.core.errors import JobUnreadable, MemoryShort, StorageUnavailable, WordkinError
from app.core.payloads import KINDS as PAYLOADS
from app.core.storage import Storage
from trainer.steps.disk import full_disk_named
from trainer.steps.ending import end_with_parent
from trainer.work.context import context_of
from trainer.work.messages import Interrupted, Order, Refused, Result
from trainer.work.telling import Teller


def run(order: Order, connection: Connection) -> None:
    """Do the job; the last message is the result. Without one the process has crashed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    end_with_parent()
    connection.send(_result(order, connection))


def _result(order: Order, connection: Connection) -> Result:
    try:
        with full_disk_named("No space is left in the trainer's scratch folder or storage"):
            return _do(order, connection)
    except StorageUnavailable as error:
        return Interrupted(error.detail)
    except WordkinError as error:
        return Refused(error.problem())
    except MemoryError as error:
        short = MemoryShort(f"The job needs more memory than there is: {error or 'no more could be had'}.")
        return Refused(short.problem())


def _do(order: Order, connection: Connection) -> Result:
    from trainer.kernels.compiling import compilations_told  # noqa: PLC0415 (kernels belong to this process alone)
    from trainer.work.kinds import KINDS  # noqa: PLC0415 (kernels and FAISS belong to this process alone)

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
        return KINDS[claim.kind](payload, context_of(order, storage, teller))
