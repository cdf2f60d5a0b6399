"""Models, their versions, and the aliases that name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from app.core import catalog, errors
from app.core.catalog import removal
from app.core.database import serialise
from app.core.records import Alias, Model
from app.models.card.endpoints import router as card_router
from app.models.drift.endpoints import router as drift_router
from app.models.evaluations.endpoints import router as evaluations_router
from app.models.exports.endpoints import router as export_router
from app.models.schemas import (
    AliasDescription,
    AliasDetails,
    AliasList,
    AliasMoveDescription,
    AliasName,
    AliasTarget,
    ModelChange,
    ModelDescription,
    ModelDetails,
    ModelList,
    ModelName,
    VersionDescription,
    VersionNumber,
    VersionSummary,
)
from app.serving.registry import Registry
from app.web.aliases import IF_MATCH, etag_of, expected, serve_now
from app.web.dependencies import DatabaseDependency, RegistryDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import ADMIN, READ

router = APIRouter(tags=["models"])
router.include_router(export_router)
router.include_router(evaluations_router)
router.include_router(drift_router)
router.include_router(card_router)


def _described(
    model: Model, aliases: Iterable[Alias], registry: Registry, sizes: Mapping[str, int]
) -> ModelDescription:
    snapshot = registry.snapshot
    return ModelDescription(
        name=model.name,
        created_at=model.created_at,
        n_versions=model.n_versions,
        keep_versions=model.keep_versions,
        **model.about or {},
        n_bytes=sizes.get(model.name, 0),
        aliases={alias.alias: alias.version for alias in aliases},
        loaded=snapshot.loaded(model.name),
        degraded=snapshot.degraded_of(model.name),
    )


@router.get(
    "/models", operation_id="list_models", openapi_extra=READ, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_models(database: DatabaseDependency, registry: RegistryDependency) -> ModelList:
    """List all models."""
    with database.reading() as session:
        models = [(model, catalog.list_aliases(session, model.name)) for model in catalog.list_models(session)]
        sizes = catalog.sizes(session)
    return ModelList(models=[_described(model, aliases, registry, sizes) for model, aliases in models])


@router.get(
    "/models/{model}",
    operation_id="get_model",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.DatabaseUnavailable),
)
def get_model(model: ModelName, database: DatabaseDependency, registry: RegistryDependency) -> ModelDetails:
    """Read a model with its versions."""
    with database.reading() as session:
        found = catalog.get_model(session, model)
        aliases = catalog.list_aliases(session, model)
        versions = [VersionSummary.of(version) for version in catalog.list_versions(session, model)]
        sizes = catalog.sizes(session)
    return ModelDetails(versions=versions, **_described(found, aliases, registry, sizes).model_dump())


@router.get(
    "/models/{model}/versions/{number}",
    operation_id="get_version",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable),
)
def get_version(
    model: ModelName, number: VersionNumber, response: Response, database: DatabaseDependency
) -> VersionDescription:
    """Read where a version comes from, how it is searched and what was measured."""
    with database.reading() as session:
        version = catalog.get_version(session, model, number)
        described = VersionDescription.of(version)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return described


@router.get(
    "/models/{model}/aliases",
    operation_id="list_aliases",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.DatabaseUnavailable),
)
def list_aliases(model: ModelName, database: DatabaseDependency) -> AliasList:
    """List a model's aliases."""
    with database.reading() as session:
        catalog.get_model(session, model)
        aliases = catalog.list_aliases(session, model)
    return AliasList(aliases=[AliasDescription.model_validate(alias) for alias in aliases])


@router.get(
    "/models/{model}/aliases/{alias}",
    operation_id="get_alias",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable),
)
def get_alias(
    model: ModelName,
    alias: AliasName,
    response: Response,
    database: DatabaseDependency,
    history: Annotated[int, Query(ge=0, le=1000, description="how many moves to list")] = 20,
) -> AliasDetails:
    """Read where an alias points and has pointed; its `ETag` guards the next move."""
    with database.reading() as session:
        found = catalog.get_alias(session, model, alias)
        moves = catalog.alias_history(session, model, alias, limit=history)
    response.headers["ETag"] = etag_of(found)
    response.headers["Cache-Control"] = "no-cache"
    described = AliasDescription.model_validate(found)
    return AliasDetails(history=[AliasMoveDescription.model_validate(move) for move in moves], **described.model_dump())


@router.put(
    "/models/{model}/aliases/{alias}",
    operation_id="move_alias",
    openapi_extra=ADMIN,
    responses=problem_responses(
        errors.ModelNotFound,
        errors.VersionNotFound,
        errors.GateFailed,
        errors.AliasReserved,
        errors.PreconditionRequired,
        errors.PreconditionFailed,
        errors.InvalidRequest,
        errors.DatabaseUnavailable,
    ),
)
def move_alias(
    model: ModelName,
    alias: AliasName,
    target: AliasTarget,
    response: Response,
    database: DatabaseDependency,
    registry: RegistryDependency,
    if_match: Annotated[
        str | None,
        Header(
            description="the alias's ETag; * moves it wherever it is; none for a new alias", json_schema_extra=IF_MATCH
        ),
    ] = None,
) -> AliasDescription:
    """Point an alias at a version. Pointing `latest` back is the rollback; no request fails meanwhile.

    A version that does not pass the model's policy is refused, unless `override` says why it must be.
    """
    with database.transaction() as session:
        catalog.get_model(session, model)
        moved = catalog.move_alias(
            session, model, alias, target.version, expected=expected(if_match), override=target.override
        )
        described = AliasDescription.model_validate(moved)
        response.headers["ETag"] = etag_of(moved)
    serve_now(registry)
    return described


@router.delete(
    "/models/{model}/aliases/{alias}",
    operation_id="delete_alias",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.ModelNotFound,
        errors.VersionNotFound,
        errors.PreconditionFailed,
        errors.InvalidRequest,
        errors.DatabaseUnavailable,
    ),
)
def delete_alias(
    model: ModelName,
    alias: AliasName,
    database: DatabaseDependency,
    registry: RegistryDependency,
    if_match: Annotated[
        str | None, Header(description="the alias's ETag, if it must not have moved", json_schema_extra=IF_MATCH)
    ] = None,
) -> None:
    """Delete an alias; the version stays, and so does the alias's history."""
    with database.transaction() as session:
        removal.delete_alias(session, model, alias, expected=expected(if_match))
    serve_now(registry)


@router.delete(
    "/models/{model}/versions/{number}",
    operation_id="delete_version",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.ModelNotFound,
        errors.VersionNotFound,
        errors.VersionInUse,
        errors.StorageUnavailable,
        errors.DatabaseUnavailable,
    ),
)
def delete_version(
    model: ModelName,
    number: VersionNumber,
    database: DatabaseDependency,
    storage: StorageDependency,
    registry: RegistryDependency,
) -> None:
    """Delete a version that no alias names. Its number is never used again."""
    with database.transaction() as session:
        prefix = removal.delete_version(session, model, number)
    serve_now(registry)
    storage.delete_folder(prefix)


@router.delete(
    "/models/{model}",
    operation_id="delete_model",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.ModelNotFound, errors.ModelInUse, errors.StorageUnavailable, errors.DatabaseUnavailable
    ),
)
def delete_model(
    model: ModelName, database: DatabaseDependency, storage: StorageDependency, registry: RegistryDependency
) -> None:
    """Delete a model with all its versions and aliases. A later one of this name goes on counting its versions."""
    with database.transaction() as session:
        prefixes = removal.delete_model(session, model)
    serve_now(registry)
    for prefix in prefixes:
        storage.delete_folder(prefix)


@router.patch(
    "/models/{model}",
    operation_id="change_model",
    openapi_extra=ADMIN,
    responses=problem_responses(errors.ModelNotFound, errors.DatabaseUnavailable),
)
def change_model(
    model: ModelName, change: ModelChange, database: DatabaseDependency, registry: RegistryDependency
) -> ModelDescription:
    """Say what a model is meant for, and how many versions are kept.

    Older versions that no alias names are deleted within the hour by a trainer.
    """
    said = change.model_dump(exclude_unset=True)
    with database.transaction() as session:
        serialise(session, f"model:{model}")
        found = catalog.get_model(session, model)
        if "keep_versions" in said:
            found.keep_versions = said.pop("keep_versions")
        found.about = (found.about or {}) | said
        session.flush()
        return _described(found, catalog.list_aliases(session, model), registry, catalog.sizes(session))
