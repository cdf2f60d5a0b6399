"""The API as one application; what it holds open is built in `app.resources`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from app.core.settings import Settings
from app.jobs.feed import Feed
from app.resources import Resources
from app.search.direct import DirectRoute
from app.search.routes import routes as search_routes
from app.web import document, health, problems, telemetry, validation
from app.web.compression import Compress
from app.web.keys import CheckKey
from app.web.later import LaterRoutes
from app.web.middleware import AnswerHead, CheckHost, LimitBody, Observe
from app.web.problems import METHODS
from app.web.security import Secure

MAX_JSON_BYTES = 1 << 20
MAX_BYTES_OF_TEXTS = 32 << 20
"""For as many as OpenAI takes, 2,048, of 16 kB."""
CORS: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", *METHODS[1:]),
    "allow_headers": (
        "Authorization",
        "Content-Digest",
        "Content-Encoding",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Last-Event-ID",
        "Repr-Digest",
        "Upload-Length",
        "Upload-Offset",
    ),
    "expose_headers": (
        *("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
        *("Upload-Complete", "Upload-Limit", "Upload-Offset", "X-Request-Id"),
    ),
}
"""What pages of other origins may use, if there are any."""
DOCUMENT = document.Document()

DESCRIPTION = """
Train word embeddings on a corpus that you upload, keep every result as an immutable numbered version, and ask for
neighbours, analogies and similarities.

`PUT /corpora/{name}` → `POST /jobs` → `GET /neighbors?word=king`. Every query takes `model=` (not needed while there is
only one) and `version=` (a number or an alias, `latest` by default). A score is a cosine in [-1, 1]; higher is closer.
Errors are `application/problem+json`; each `type` is explained at its own address.
"""


def create_app(settings: Settings, opened: Resources | None = None) -> FastAPI:
    """Build the API. Its start opens what it needs, unless that is `opened`; its end closes it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with closing(opened or Resources(settings)) as resources:
            app.state.database = resources.database
            app.state.storage = resources.storage
            app.state.registry = resources.registry
            app.state.keyring = resources.keyring
            app.state.probes = health.Probes(resources.database, resources.storage)
            app.state.feed = Feed(resources.database)
            yield
            app.state.feed.end()

    app = FastAPI(
        title="Wordkin",
        version=version("wordkin"),
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,  # `app.console` has the document, and a page that needs no internet
        redoc_url=None,
        telemetry=telemetry.configuration(is_on=settings.telemetry),
    )
    app.state.settings = settings
    app.state.is_leaving = False
    app.router.redirect_slashes = False  # a redirect would follow the Host header
    app.router.routes[:0] = search_routes  # flat and first: matching an included router is slow
    app.router.routes += _routes_of_operations()
    later = app.state.later = LaterRoutes(app.router.routes, len(search_routes), _other_routes)
    _wrap(app, settings, later)
    problems.install(app)
    DOCUMENT.install(app, later)
    return app


@cache
def _routes_of_operations() -> list[BaseRoute]:
    """What the framework works out about a route at its first request takes long, and holds for every application."""
    all_of_them = APIRouter(dependencies=[Depends(validation.refuse_repeated)])
    for router in (health.router, problems.router):
        all_of_them.include_router(router)
    return all_of_them.routes


def _other_routes() -> list[BaseRoute]:
    from app.routes import other_routes  # noqa: PLC0415 (who only searches never needs them)

    return other_routes()


def _wrap(app: FastAPI, settings: Settings, later: LaterRoutes) -> None:
    """Put around all routes what every request passes, the innermost first."""
    app.add_middleware(Compress, unless={route.path for route in search_routes if isinstance(route, DirectRoute)})
    app.add_middleware(CheckKey, routes=app.router.routes, later=later)
    if settings.rate_limit:
        from app.web.rates import LimitRate  # noqa: PLC0415 (only who limits needs the library)

        app.add_middleware(LimitRate, limits=settings.rate_limit)
    app.add_middleware(AnswerHead)  # outside, so that it tells the length that GET has
    app.add_middleware(CheckHost, hosts=settings.hosts)
    larger = dict.fromkeys(("/v1/embeddings", "/classify"), MAX_BYTES_OF_TEXTS)
    app.add_middleware(LimitBody, max_bytes=MAX_JSON_BYTES, others=larger, unless_below=("/corpora/", "/files/"))
    app.add_middleware(Observe)
    if settings.origins:  # far out: without its headers a page cannot read an error either
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins, **CORS)
    app.add_middleware(Secure)
