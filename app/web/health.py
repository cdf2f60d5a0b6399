"""Is the process alive, can it answer, and how does it do."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from threading import Thread
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.web.dependencies import RegistryDependency

PROBE_SECONDS = 0.8  # below the second that health checks commonly wait

router = APIRouter(tags=["operations"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """What works. Loaded versions are served while the database is down, so that alone does not make it unready."""

    status: Literal["ready", "starting"]
    database: Literal["up", "down"]
    loaded: list[str]
    degraded: dict[str, str]


@router.get("/livez", operation_id="livez")
async def livez() -> Liveness:
    """Say that the process answers."""
    return Liveness()


class Probe:
    """Asks the database in a thread, one at a time however many want to know, so that none of them waits for long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked_at = 0.0
        self._answer: asyncio.Future[bool] | None = None

    async def is_up(self) -> bool:
        """Say whether the database answers; one that has not done so for `PROBE_SECONDS` is down until it does."""
        if self._answer is None or self._answer.done():
            self._asked_at = time.monotonic()
            self._answer = asyncio.wrap_future(self._ask())
        answer = self._answer
        await asyncio.wait([answer], timeout=max(0.0, self._asked_at + PROBE_SECONDS - time.monotonic()))
        return answer.done() and answer.result()

    def _ask(self) -> Future[bool]:
        answer: Future[bool] = Future()
        # of its own: a pool's threads may all wait for the database, and would be waited for at the end
        Thread(target=self._check, args=[answer], name="readyz", daemon=True).start()
        return answer

    def _check(self, answer: Future[bool]) -> None:
        try:
            self._database.check()
            answer.set_result(True)
        except DatabaseUnavailable:
            answer.set_result(False)
        except Exception as error:
            answer.set_exception(error)


async def get_probe(request: Request) -> Probe:
    return cast("Probe", request.app.state.probe)


@router.get("/readyz", operation_id="readyz", responses={503: {"model": Readiness, "description": "Not yet"}})
async def readyz(
    response: Response, registry: RegistryDependency, probe: Annotated[Probe, Depends(get_probe)]
) -> Readiness:
    """Say what is loaded, what could not be loaded and why, and whether the database is up."""
    is_up = await probe.is_up()
    state = registry.status()
    if not state.is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(
        status="ready" if state.is_ready else "starting",
        database="up" if is_up else "down",
        loaded=state.loaded,
        degraded=state.degraded,
    )


@router.get("/metrics", operation_id="metrics", response_class=Response)
def metrics() -> Response:
    """Metrics in Prometheus's text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
