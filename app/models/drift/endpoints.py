"""``GET /models/{model}/drift``: which words changed between two versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.core import errors
from app.core.errors import InvalidRequest
from app.core.names import pinned_number
from app.models.drift.comparison import Chosen, in_turn
from app.models.drift.report import most_changed, of_word
from app.models.drift.schemas import DriftReport, FloorKind
from app.models.schemas import ModelName
from app.serving.asking import Word
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

router = APIRouter(tags=["models"])


@router.get(
    "/models/{model}/drift",
    operation_id="get_drift",
    openapi_extra=READ,
    response_class=Response,
    responses={
        200: {"model": DriftReport, "description": "The words that changed most"},
        **problem_responses(
            errors.InvalidRequest,
            errors.ModelNotFound,
            errors.VersionNotFound,
            errors.WordNotFound,
            errors.NotOneWord,
            errors.Overloaded,
            errors.VersionNotLoaded,
            errors.DatabaseUnavailable,
        ),
    },
)
async def get_drift(
    model: ModelName,
    registry: RegistryDependency,
    from_: Annotated[str, Query(alias="from", max_length=100, description="number or alias", examples=["3"])],
    to: Annotated[str, Query(max_length=100, description="number or alias", examples=["4"])] = "latest",
    word: Annotated[Word | None, Query(description="only this one", examples=["cloud"])] = None,
    n: Annotated[int, Query(ge=1, le=200, description="how many of the most changed words")] = 20,
    min_count: Annotated[
        int,
        Query(ge=1, description="words that occur less often in either text are not considered"),
    ] = 50,
    max_words: Annotated[
        int, Query(ge=1, le=100_000, description="the most frequent words of both that are considered")
    ] = 20_000,
    floor: Annotated[
        FloorKind | None, Query(description="what is noise; by default what replicas show, else an estimate")
    ] = None,
) -> Response:
    """Find the words that changed most between two versions, with their old and new neighbours.

    A word's change is measured by its place among its neighbours, tested against what words of its frequency change by
    chance, and corrected for the number of words. Both versions are loaded, if they are not. The first answer about two
    versions takes seconds, further ones much less. Where counts are not known, ranks stand for them.
    """
    first, second = await registry.get(model, from_), await registry.get(model, to)
    if first.number == second.number:
        raise InvalidRequest(f"from and to are both version {first.number}.")
    chosen = Chosen(min_count, max_words, floor)
    if word is None:
        content = await in_turn(lambda: most_changed(first, second, chosen, n))
    else:
        (before,), (after,) = await first.terms([word]), await second.terms([word])
        content = await in_turn(lambda: of_word(first, second, chosen, (before, after)))
    is_pinned = None not in {pinned_number(from_), pinned_number(to)}
    cache = "public, max-age=31536000, immutable" if is_pinned else "no-cache"
    return Response(content, media_type="application/json", headers={"Cache-Control": cache})
