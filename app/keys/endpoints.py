"""Keys for who may make them, and what was done with keys."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from app.core import errors
from app.core.access import audit, check_unlimited, keys
from app.core.errors import DatabaseUnavailable
from app.core.records import ApiKey
from app.keys.schemas import (
    AuditDescription,
    AuditPage,
    KeyDescription,
    KeyId,
    KeyList,
    KeyRequest,
    NewKey,
    Rotation,
)
from app.serving.keyring import Keyring
from app.web.dependencies import DatabaseDependency, KeyringDependency, SettingsDependency
from app.web.problems import problem_responses
from app.web.scopes import ADMIN

router = APIRouter(tags=["keys"], dependencies=[Depends(check_unlimited)])


def _known_now(keyring: Keyring) -> None:
    """Other processes look within seconds; this one looks at once."""
    with contextlib.suppress(DatabaseUnavailable):
        keyring.refresh()


def _shown_once(made: ApiKey, token: str, response: Response) -> NewKey:
    response.headers["Cache-Control"] = "no-store"
    return NewKey(token=token, **KeyDescription.model_validate(made).model_dump())


@router.post(
    "/keys",
    operation_id="create_key",
    openapi_extra=ADMIN,
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.InvalidRequest, errors.DatabaseUnavailable),
)
def create(
    wanted: KeyRequest,
    response: Response,
    database: DatabaseDependency,
    settings: SettingsDependency,
    keyring: KeyringDependency,
) -> NewKey:
    """Make a key. From the first one on, nobody is let in without."""
    with database.transaction() as session:
        secret = keys.secret_of(session, settings.key_secret)
        made, token = keys.create(session, secret, keys.Wish(**wanted.model_dump()))
    _known_now(keyring)
    return _shown_once(made, token, response)


@router.get(
    "/keys", operation_id="list_keys", openapi_extra=ADMIN, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_keys(database: DatabaseDependency) -> KeyList:
    """List all keys, without their secrets."""
    with database.reading() as session:
        return KeyList(keys=[KeyDescription.model_validate(key) for key in keys.listed(session)])


@router.delete(
    "/keys/{id}",
    operation_id="revoke_key",
    openapi_extra=ADMIN,
    responses=problem_responses(errors.KeyNotFound, errors.DatabaseUnavailable),
)
def revoke(id: KeyId, database: DatabaseDependency, keyring: KeyringDependency) -> KeyDescription:  # noqa: A002 (the path's own name)
    """End a key: here at once, in all other processes within seconds."""
    with database.transaction() as session:
        ended = KeyDescription.model_validate(keys.revoke(session, id))
    _known_now(keyring)
    return ended


@router.post(
    "/keys/{id}/rotate",
    operation_id="rotate_key",
    openapi_extra=ADMIN,
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.KeyNotFound, errors.InvalidRequest, errors.DatabaseUnavailable),
)
def rotate(
    id: KeyId,  # noqa: A002 (the path's own name)
    rotation: Rotation,
    response: Response,
    database: DatabaseDependency,
    settings: SettingsDependency,
    keyring: KeyringDependency,
) -> NewKey:
    """Make a key that allows the same; the old one stays good for some hours."""
    with database.transaction() as session:
        secret = keys.secret_of(session, settings.key_secret)
        made, token = keys.rotate(session, secret, id, overlap_hours=rotation.overlap_hours)
    _known_now(keyring)
    return _shown_once(made, token, response)


@router.get(
    "/audit", operation_id="list_audit", openapi_extra=ADMIN, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_audit(
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(max_length=100, description="the last id of the page before")] = None,
) -> AuditPage:
    """List what was done with keys, newest first; reading is not written down."""
    with database.reading() as session:
        found = audit.page(session, limit=limit + 1, before=before)
    page = [AuditDescription.model_validate(entry) for entry in found[:limit]]
    return AuditPage(entries=page, next=page[-1].id if len(found) > limit else None)
