"""Classifiers, their versions, and the aliases that name them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from app.classifiers.classify import router as classify_router
from app.classifiers.schemas import (
    AliasName,
    ClassifierAlias,
    ClassifierAliasDetails,
    ClassifierAliasTarget,
    ClassifierDescription,
    ClassifierDetails,
    ClassifierList,
    ClassifierName,
    ClassifierSummary,
    ClassifierVersion,
    VersionNumber,
)
from app.core import catalog, errors
from app.core.catalog import removal
from app.core.records import Alias, Model, ModelKind
from app.serving.registry import Registry
from app.web.aliases import IF_MATCH, etag_of, expected, serve_now
from app.web.dependencies import DatabaseDependency, RegistryDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import ADMIN, READ

CLASSIFIER = ModelKind.CLASSIFIER
NOT_FOUND = (errors.ClassifierNotFound, errors.VersionNotFound, errors.DatabaseUnavailable)

router = APIRouter(tags=["classifiers"])
router.include_router(classify_router)


def _described(model: Model, aliases: Iterable[Alias], registry: Registry, n_bytes: int) -> ClassifierDescription:
    snapshot = registry.snapshot
    return ClassifierDescription(
        name=model.name,
        created_at=model.created_at,
        n_versions=model.n_versions,
        n_bytes=n_bytes,
        aliases={alias.alias: alias.version for alias in aliases},
        loaded=snapshot.loaded(model.name),
        degraded=snapshot.degraded_of(model.name),
    )


@router.get(
    "/classifiers",
    operation_id="list_classifiers",
    openapi_extra=READ,
    responses=problem_responses(errors.DatabaseUnavailable),
)
def list_classifiers(database: DatabaseDependency, registry: RegistryDependency) -> ClassifierList:
    """List all classifiers."""
    with database.reading() as session:
        found = [(each, catalog.list_aliases(session, each.name)) for each in catalog.list_models(session, CLASSIFIER)]
        sizes = catalog.sizes(session)
    described = [_described(each, aliases, registry, sizes.get(each.name, 0)) for each, aliases in found]
    return ClassifierList(classifiers=described)


@router.get(
    "/classifiers/{name}",
    operation_id="get_classifier",
    openapi_extra=READ,
    responses=problem_responses(errors.ClassifierNotFound, errors.DatabaseUnavailable),
)
def get_classifier(
    name: ClassifierName, database: DatabaseDependency, registry: RegistryDependency
) -> ClassifierDetails:
    """Read a classifier with its versions."""
    with database.reading() as session:
        found = catalog.get_model(session, name, CLASSIFIER)
        aliases = catalog.list_aliases(session, name)
        versions = [ClassifierSummary.of(version) for version in catalog.list_versions(session, name)]
        n_bytes = catalog.sizes(session).get(name, 0)
    return ClassifierDetails(versions=versions, **_described(found, aliases, registry, n_bytes).model_dump())


@router.get(
    "/classifiers/{name}/versions/{number}",
    operation_id="get_classifier_version",
    openapi_extra=READ,
    responses=problem_responses(*NOT_FOUND),
)
def get_version(
    name: ClassifierName, number: VersionNumber, response: Response, database: DatabaseDependency
) -> ClassifierVersion:
    """Read what a version was made of, and its report: baselines, learning curve, errors, telling words."""
    with database.reading() as session:
        described = ClassifierVersion.of(catalog.get_version(session, name, number, CLASSIFIER))
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return described


@router.get(
    "/classifiers/{name}/aliases/{alias}",
    operation_id="get_classifier_alias",
    openapi_extra=READ,
    responses=problem_responses(*NOT_FOUND),
)
def get_alias(
    name: ClassifierName,
    alias: AliasName,
    response: Response,
    database: DatabaseDependency,
    history: Annotated[int, Query(ge=0, le=1000, description="how many moves to list")] = 20,
) -> ClassifierAliasDetails:
    """Read where an alias points and has pointed; its `ETag` guards the next move."""
    with database.reading() as session:
        found = catalog.get_alias(session, name, alias, CLASSIFIER)
        moves = list(catalog.alias_history(session, name, alias, limit=history))
    response.headers["ETag"] = etag_of(found)
    response.headers["Cache-Control"] = "no-cache"
    return ClassifierAliasDetails.with_history(found, moves)


@router.put(
    "/classifiers/{name}/aliases/{alias}",
    operation_id="move_classifier_alias",
    openapi_extra=ADMIN,
    responses=problem_responses(
        *NOT_FOUND,
        errors.AliasReserved,
        errors.PreconditionRequired,
        errors.PreconditionFailed,
        errors.InvalidRequest,
    ),
)
def move_alias(
    name: ClassifierName,
    alias: AliasName,
    target: ClassifierAliasTarget,
    response: Response,
    database: DatabaseDependency,
    registry: RegistryDependency,
    if_match: Annotated[
        str | None,
        Header(
            description="the alias's ETag; * moves it wherever it is; none for a new alias", json_schema_extra=IF_MATCH
        ),
    ] = None,
) -> ClassifierAlias:
    """Point an alias at a version. Pointing `latest` back is the rollback; no request fails meanwhile."""
    with database.transaction() as session:
        catalog.get_model(session, name, CLASSIFIER)
        moved = catalog.move_alias(session, name, alias, target.version, expected=expected(if_match))
        described = ClassifierAlias.of(moved)
        response.headers["ETag"] = etag_of(moved)
    serve_now(registry)
    return described


@router.delete(
    "/classifiers/{name}/aliases/{alias}",
    operation_id="delete_classifier_alias",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(*NOT_FOUND, errors.PreconditionFailed, errors.InvalidRequest),
)
def delete_alias(
    name: ClassifierName,
    alias: AliasName,
    database: DatabaseDependency,
    registry: RegistryDependency,
    if_match: Annotated[
        str | None, Header(description="the alias's ETag, if it must not have moved", json_schema_extra=IF_MATCH)
    ] = None,
) -> None:
    """Delete an alias; the version stays, and so does the alias's history."""
    with database.transaction() as session:
        removal.delete_alias(session, name, alias, expected=expected(if_match), kind=CLASSIFIER)
    serve_now(registry)


@router.delete(
    "/classifiers/{name}/versions/{number}",
    operation_id="delete_classifier_version",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(*NOT_FOUND, errors.VersionInUse, errors.StorageUnavailable),
)
def delete_version(
    name: ClassifierName,
    number: VersionNumber,
    database: DatabaseDependency,
    storage: StorageDependency,
    registry: RegistryDependency,
) -> None:
    """Delete a version that no alias names. Its number is never used again."""
    with database.transaction() as session:
        prefix = removal.delete_version(session, name, number, CLASSIFIER)
    serve_now(registry)
    storage.delete_folder(prefix)


@router.delete(
    "/classifiers/{name}",
    operation_id="delete_classifier",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(
        errors.ClassifierNotFound, errors.ModelInUse, errors.StorageUnavailable, errors.DatabaseUnavailable
    ),
)
def delete_classifier(
    name: ClassifierName, database: DatabaseDependency, storage: StorageDependency, registry: RegistryDependency
) -> None:
    """Delete a classifier with all its versions and aliases; the vectors that it stands on stay."""
    with database.transaction() as session:
        prefixes = removal.delete_model(session, name, CLASSIFIER)
    serve_now(registry)
    for prefix in prefixes:
        storage.delete_folder(prefix)
