"""Is the process alive, can it answer, and how does it do."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.core.errors import DatabaseUnavailable
from app.web.dependencies import DatabaseDependency, RegistryDependency

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


@router.get("/readyz", operation_id="readyz", responses={503: {"model": Readiness, "description": "Not yet"}})
def readyz(response: Response, registry: RegistryDependency, database: DatabaseDependency) -> Readiness:
    """Say what is loaded, what could not be loaded and why, and whether the database is up."""
    try:
        database.check()
        is_up = True
    except DatabaseUnavailable:
        is_up = False
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
