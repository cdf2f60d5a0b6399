"""``GET /v1/models``: the models as OpenAI's clients list them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.core import catalog, errors
from app.core.catalog import LATEST
from app.core.names import composed, pinned_number, reference, split_reference
from app.core.records import Model
from app.web.dependencies import DatabaseDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

router = APIRouter(tags=["models"])


class OpenAIModel(BaseModel):
    """A name that `/v1/embeddings` takes as `model`."""

    id: Annotated[str, Field(description="name, name@3 or name@alias", examples=["bible@production"])]
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="Unix time at which the model was made, or the alias moved")]
    owned_by: Literal["wordkin"] = "wordkin"


class OpenAIModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]


def _named(name: str, moment: datetime) -> OpenAIModel:
    return OpenAIModel(id=name, created=int(moment.timestamp()))


def _names(session: Session, model: Model) -> Iterator[OpenAIModel]:
    """A model alone, and each of its aliases."""
    yield _named(model.name, model.created_at)
    for alias in catalog.list_aliases(session, model.name):
        yield _named(reference(model.name, alias.alias), alias.moved_at)


@router.get(
    "/v1/models",
    operation_id="list_openai_models",
    openapi_extra=READ,
    responses=problem_responses(errors.DatabaseUnavailable),
)
def list_models(database: DatabaseDependency) -> OpenAIModelList:
    """List the models and aliases, for clients of OpenAI's API."""
    with database.reading() as session:
        data = [named for model in catalog.list_models(session) for named in _names(session, model)]
    return OpenAIModelList(data=data)


@router.get(
    "/v1/models/{id}",
    operation_id="get_openai_model",
    openapi_extra=READ,
    responses=problem_responses(
        errors.InvalidRequest, errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable
    ),
)
def get_model(
    id: Annotated[str, Path(max_length=400, description="name, name@3 or name@alias")],  # noqa: A002 (OpenAI's name)
    database: DatabaseDependency,
) -> OpenAIModel:
    """Read one model or alias, for clients of OpenAI's API."""
    name, label = split_reference(composed(id))
    number = pinned_number(label or LATEST)
    with database.reading() as session:
        model = catalog.get_model(session, name)
        if label is None:
            return _named(id, model.created_at)
        if number is not None:
            return _named(id, catalog.get_version(session, name, number).created_at)
        return _named(id, catalog.get_alias(session, name, label).moved_at)
