"""Is the process alive, can it answer, and how does it do."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from threading import Thread
from typing import Annotated, Generic, Literal, TypeVar, cast

from fastapi import APIRouter, Depends, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, Info, generate_latest
from pydantic import BaseModel

from app.core import access
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, StorageUnavailable
from app.core.names import split_reference
from app.core.storage import Storage
from app.web import gauges
from app.web.dependencies import KeyringDependency, RegistryDependency
from app.web.scopes import OPEN, READ

PROBE_SECONDS = 0.8  # below the second that health checks commonly wait
FRESH_SECONDS = 5.0
"""For so long an answer of the storage, and the figures of the metrics, are told again."""
BUILD = Info("wordkin_build", "What runs here")
BUILD.info({"version": version("wordkin"), "python": platform.python_version()})

router = APIRouter(tags=["operations"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """What works. Loaded versions are served while the database is down, so that alone does not make it unready."""

    status: Literal["ready", "degraded", "starting", "leaving"]
    database: Literal["up", "down"]
    storage: Literal["up", "down"]
    loaded: list[str]
    degraded: dict[str, str]


@router.get("/livez", operation_id="livez", openapi_extra=OPEN)
async def livez() -> Liveness:
    """Say that the process answers."""
    return Liveness()


T = TypeVar("T")


class Probe(Generic[T]):
    """Asks in a thread, one at a time however many want to know, so that none of them waits for long."""

    def __init__(self, name: str, ask: Callable[[], T], *, fresh_seconds: float = 0.0) -> None:
        self._name = name
        self._ask = ask
        self._fresh_seconds = fresh_seconds
        self._asked_at = 0.0
        self._answer: asyncio.Future[T | None] | None = None

    async def answer(self) -> T | None:
        """The answer, at most `fresh_seconds` old; None if there is none yet after `PROBE_SECONDS`, until it comes."""
        if self._answer is None or (self._answer.done() and self._age() >= self._fresh_seconds):
            self._asked_at = time.monotonic()
            self._answer = asyncio.wrap_future(self._start())
        answer = self._answer
        await asyncio.wait([answer], timeout=max(0.0, PROBE_SECONDS - self._age()))
        return answer.result() if answer.done() else None

    def _age(self) -> float:
        return time.monotonic() - self._asked_at

    def _start(self) -> Future[T | None]:
        answer: Future[T | None] = Future()
        # of its own: a pool's threads may all wait for the database, and would be waited for at the end
        Thread(target=self._run, args=[answer], name=self._name, daemon=True).start()
        return answer

    def _run(self, answer: Future[T | None]) -> None:
        try:
            answer.set_result(self._ask())
        except (DatabaseUnavailable, StorageUnavailable):
            answer.set_result(None)
        except Exception as error:
            answer.set_exception(error)


class Probes:
    """What health and metrics ask of others."""

    def __init__(self, database: Database, storage: Storage) -> None:
        def database_answers() -> bool:
            database.check()
            return True

        def storage_answers() -> bool:
            storage.check()
            return True

        self.database = Probe("readyz", database_answers)
        self.storage = Probe("readyz-storage", storage_answers, fresh_seconds=FRESH_SECONDS)
        self.figures = Probe("metrics", gauges.Asker(database, storage).ask, fresh_seconds=FRESH_SECONDS)


async def get_probes(request: Request) -> Probes:
    return cast("Probes", request.app.state.probes)


ProbesDependency = Annotated[Probes, Depends(get_probes)]


@router.get(
    "/readyz",
    operation_id="readyz",
    openapi_extra=OPEN,
    responses={503: {"model": Readiness, "description": "Not yet"}},
)
async def readyz(
    request: Request,
    response: Response,
    registry: RegistryDependency,
    keyring: KeyringDependency,
    probes: ProbesDependency,
) -> Readiness:
    """Say what is loaded, what could not be loaded and why, and whether database and storage are up.

    `degraded`: aliases name versions, and none of them can be served. `leaving`: the process ends soon; ask another.
    Names are told to those who may know them.
    """
    database, storage = await asyncio.gather(probes.database.answer(), probes.storage.answer())
    state = registry.status()
    is_ready, is_leaving = state.is_ready and keyring.is_ready, request.app.state.is_leaving
    if is_leaving or not is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(
        status="leaving" if is_leaving else "starting" if not is_ready else "degraded" if state.is_empty else "ready",
        database="up" if database else "down",
        storage="up" if storage else "down",
        loaded=[name for name in state.loaded if access.sees(split_reference(name)[0])],
        degraded={name: why for name, why in state.degraded.items() if access.sees(split_reference(name)[0])},
    )


@router.get("/metrics", operation_id="metrics", openapi_extra=READ, response_class=Response)
async def metrics(probes: ProbesDependency) -> Response:
    """Metrics in Prometheus's text format. Those that the database has are missing while it does not answer."""
    figures = await probes.figures.answer()
    return Response(generate_latest() + gauges.as_text(figures), media_type=CONTENT_TYPE_LATEST)
