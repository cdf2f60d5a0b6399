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

from app.classifiers import classify
from app.classifiers.endpoints import router as classifiers_router
from app.console.endpoints import router as console_router
from app.core.settings import Settings
from app.corpora.endpoints import router as corpora_router
from app.corpora.parts import router as corpus_parts_router
from app.files.endpoints import router as files_router
from app.files.parts import router as file_parts_router
from app.jobs.endpoints import router as jobs_router
from app.jobs.feed import Feed
from app.keys.endpoints import router as keys_router
from app.models.endpoints import router as models_router
from app.models.openai import router as openai_router
from app.resources import Resources
from app.search import embeddings
from app.search.direct import DirectRoute
from app.search.routes import routes as search_routes
from app.web import document, health, problems, telemetry, validation
from app.web.compression import Compress
from app.web.keys import CheckKey
from app.web.middleware import AnswerHead, CheckHost, LimitBody, Observe
from app.web.problems import METHODS
from app.web.security import Secure
from app.webhooks.endpoints import router as webhooks_router

MAX_JSON_BYTES = 1 << 20
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
    _wrap(app, settings)
    problems.install(app)
    app.router.routes[:0] = search_routes  # flat and first: matching an included router is slow
    app.router.routes += _other_routes()
    DOCUMENT.install(app)
    return app


@cache
def _other_routes() -> list[BaseRoute]:
    """What the framework works out about a route at its first request takes long, and holds for every application."""
    all_of_them = APIRouter(dependencies=[Depends(validation.refuse_repeated)])
    uploads = (corpora_router, corpus_parts_router, files_router, file_parts_router)
    nouns = (*uploads, jobs_router, models_router, classifiers_router, openai_router)
    for router in (*nouns, keys_router, webhooks_router):
        all_of_them.include_router(router, dependencies=[Depends(validation.refuse_unknown)])
    for router in (console_router, health.router, problems.router):
        all_of_them.include_router(router)
    return all_of_them.routes


def _wrap(app: FastAPI, settings: Settings) -> None:
    """Put around all routes what every request passes, the innermost first."""
    app.add_middleware(Compress, unless={route.path for route in search_routes if isinstance(route, DirectRoute)})
    app.add_middleware(CheckKey, routes=app.router.routes)
    if settings.rate_limit:
        from app.web.rates import LimitRate  # noqa: PLC0415 (only who limits needs the library)

        app.add_middleware(LimitRate, limits=settings.rate_limit)
    app.add_middleware(AnswerHead)  # outside, so that it tells the length that GET has
    app.add_middleware(CheckHost, hosts=settings.hosts)
    larger = {"/v1/embeddings": embeddings.MAX_BODY_BYTES, "/classify": classify.MAX_BODY_BYTES}
    app.add_middleware(LimitBody, max_bytes=MAX_JSON_BYTES, others=larger, unless_below=("/corpora/", "/files/"))
    app.add_middleware(Observe)
    if settings.origins:  # far out: without its headers a page cannot read an error either
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins, **CORS)
    app.add_middleware(Secure)
