"""Is the process alive, can it answer, and how does it do."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Literal

from fastapi import APIRouter, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.web.dependencies import DatabaseDependency, RegistryDependency

PROBE_SECONDS = 1.0

router = APIRouter(tags=["operations"])


class _Probe:
    """Asks the database on a thread of its own, for all that want to know at that time; silence means down."""

    def __init__(self) -> None:
        self._asked: tuple[Database, Future[None]] | None = None

    async def is_up(self, database: Database) -> bool:
        if self._asked is None or self._asked[0] is not database or self._asked[1].done():
            self._asked = database, Future()
            # a daemon: a pool's thread that waits for a silent database would keep the process from ending
            threading.Thread(target=_ask, args=self._asked, daemon=True).start()
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asked[1])), PROBE_SECONDS)
        except (DatabaseUnavailable, TimeoutError):
            return False
        return True


def _ask(database: Database, answer: Future[None]) -> None:
    try:
        database.check()
    except Exception as error:
        answer.set_exception(error)
    else:
        answer.set_result(None)


_PROBE = _Probe()


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


@router.get("/readyz", operation_id="readyz", responses={503: {"model": Readiness, "description": "Not yet"}})
async def readyz(response: Response, registry: RegistryDependency, database: DatabaseDependency) -> Readiness:
    """Say what is loaded, what could not be loaded and why, and whether the database is up; at once in any case."""
    is_up = await _PROBE.is_up(database)
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
