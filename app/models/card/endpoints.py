"""``GET /models/{model}/versions/{version}/card``: what should be known of a version before it is used."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.core import errors
from app.models.card.collecting import card_of
from app.models.card.markdown import markdown_of
from app.models.card.schemas import ModelCard
from app.models.schemas import ModelName, VersionName
from app.web.dependencies import DatabaseDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

MARKDOWN = "text/markdown; charset=utf-8"
router = APIRouter(tags=["models"])


@router.get(
    "/models/{model}/versions/{version}/card",
    operation_id="get_card",
    openapi_extra=READ,
    response_class=Response,
    responses={
        200: {
            "model": ModelCard,
            "description": "The card",
            "content": {
                "text/markdown": {"schema": {"type": "string"}, "example": "# bible@1\n\nWord vectors: ...\n"},
            },
        },
        **problem_responses(errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable),
    },
)
def get_card(
    model: ModelName,
    version: VersionName,
    database: DatabaseDependency,
    format: Annotated[Literal["markdown", "json"], Query(description="of the card")] = "markdown",  # noqa: A002 (the parameter's name)
) -> Response:
    """Read a version's card: what it was made of and how, what it was measured by, what it is meant for.

    `PATCH /models/{model}` says what the model is meant for; all else is what was recorded.
    """
    with database.reading() as session:
        card = card_of(session, model, version)
    headers = {"Cache-Control": "no-cache"}
    if format == "json":
        return Response(card.model_dump_json(), media_type="application/json", headers=headers)
    return Response(markdown_of(card), media_type=MARKDOWN, headers=headers)
