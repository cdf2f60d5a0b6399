"""The routes of all that is no search for words. Their modules are imported when one of them is first asked for."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, Depends
from starlette.routing import BaseRoute

from app.classifiers.endpoints import router as classifiers_router
from app.console.endpoints import router as console_router
from app.corpora.endpoints import router as corpora_router
from app.corpora.parts import router as corpus_parts_router
from app.files.endpoints import router as files_router
from app.files.parts import router as file_parts_router
from app.jobs.endpoints import router as jobs_router
from app.keys.endpoints import router as keys_router
from app.models.endpoints import router as models_router
from app.models.openai import router as openai_router
from app.search.weat import router as weat_router
from app.web import validation
from app.webhooks.endpoints import router as webhooks_router


@cache
def other_routes() -> list[BaseRoute]:
    """What the framework works out about a route at its first request takes long, and holds for every application."""
    all_of_them = APIRouter(dependencies=[Depends(validation.refuse_repeated)])
    uploads = (corpora_router, corpus_parts_router, files_router, file_parts_router)
    nouns = (*uploads, jobs_router, models_router, classifiers_router, openai_router)
    for router in (*nouns, keys_router, webhooks_router):
        all_of_them.include_router(router, dependencies=[Depends(validation.refuse_unknown)])
    all_of_them.include_router(console_router)
    return [*weat_router.routes, *all_of_them.routes]
