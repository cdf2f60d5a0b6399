"""Evaluations of a version, the comparison of two, and the policy of a model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from app.core import catalog, errors
from app.core.catalog import evaluations, files
from app.core.catalog.sources import file_source
from app.core.database import serialise
from app.core.evaluation.bias.words import SHIPPED
from app.core.evaluation.policy import Policy, PolicySet, StoredPolicy
from app.core.names import in_one_order, reference
from app.models.evaluations.schemas import Comparison, EvaluationDescription, EvaluationList
from app.models.schemas import ModelName, VersionNumber
from app.web.beginning import check_questions, check_word_sets
from app.web.dependencies import DatabaseDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import ADMIN, READ

router = APIRouter(tags=["models"])
Which = Annotated[str, Query(max_length=100, description="number or alias of a version", examples=["latest"])]


@router.get(
    "/models/{model}/versions/{number}/evaluations",
    operation_id="list_evaluations",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable),
)
def list_evaluations(
    model: ModelName,
    number: VersionNumber,
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000, description="how many")] = 20,
) -> EvaluationList:
    """List what a version was measured by, newest first."""
    with database.reading() as session:
        version = catalog.get_version(session, model, number)
        found = [EvaluationDescription.of(row) for row in evaluations.of_version(session, version, limit=limit)]
    return EvaluationList(evaluations=found)


@router.get(
    "/models/{model}/compare",
    operation_id="compare_versions",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.VersionNotFound, errors.DatabaseUnavailable),
)
def compare(model: ModelName, a: Which, b: Which, database: DatabaseDependency) -> Comparison:
    """Compare two versions by the questions that both have answered, with an interval of each difference."""
    with database.reading() as session:
        numbers = [catalog.version_of(session, model, which).number for which in (a, b)]
        first, second = (evaluations.evaluated(session, model, number) for number in numbers)
    return Comparison.of(model, first, second)


@router.get(
    "/models/{model}/policy",
    operation_id="get_policy",
    openapi_extra=READ,
    responses=problem_responses(errors.ModelNotFound, errors.DatabaseUnavailable),
)
def get_policy(model: ModelName, database: DatabaseDependency) -> Policy:
    """Read what a version must show before an alias may name it; without a policy there are no sets."""
    with database.reading() as session:
        stored = evaluations.policy_of(catalog.get_model(session, model))
    return stored.policy if stored else Policy(sets=())


@router.put(
    "/models/{model}/policy",
    operation_id="set_policy",
    openapi_extra=ADMIN,
    responses=problem_responses(
        errors.ModelNotFound,
        errors.FileNotFound,
        errors.EvaluationSetUnreadable,
        errors.StorageUnavailable,
        errors.DatabaseUnavailable,
    ),
)
def set_policy(model: ModelName, policy: Policy, database: DatabaseDependency, storage: StorageDependency) -> Policy:
    """Say what a version must show. Files are meant as they are now; all that is published from now on is evaluated.

    What the aliases name now stays, whether or not it would pass; a rule of a drop needs it to be evaluated, too.
    """
    with database.reading() as session:
        catalog.get_model(session, model)
        uploaded = [each.word_sets for each in policy.bias if each.word_sets not in SHIPPED]
        names = [*(each.file for each in policy.sets), *uploaded]
        found = {name: files.named(session, name) for name in names}
    for each in policy.sets:
        check_questions(storage, found[each.file], each)
    for name in uploaded:
        check_word_sets(storage, found[name], name)
    with database.transaction() as session:
        serialise(session, f"model:{model}")
        row = catalog.get_model(session, model)
        named = {name: files.named(session, name, hold=True) for name in in_one_order(found)}
        pinned = {name: reference(file.name, file.revision) for name, file in named.items()}
        sets = [PolicySet(**each.model_dump() | {"file": pinned[each.file]}) for each in policy.sets]
        bias = [
            each.model_copy(update={"word_sets": pinned.get(each.word_sets, each.word_sets)}) for each in policy.bias
        ]
        stored = StoredPolicy(
            policy=policy.model_copy(update={"sets": tuple(sets), "bias": tuple(bias)}),
            files={reference(file.name, file.revision): file_source(file) for file in named.values()},
        )
        row.policy = stored.model_dump(mode="json")
        session.flush()
    return stored.policy


@router.delete(
    "/models/{model}/policy",
    operation_id="delete_policy",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.ModelNotFound, errors.DatabaseUnavailable),
)
def delete_policy(model: ModelName, database: DatabaseDependency) -> None:
    """Let aliases move freely again."""
    with database.transaction() as session:
        serialise(session, f"model:{model}")
        catalog.get_model(session, model).policy = None
