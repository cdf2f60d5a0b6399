"""Webhooks for who may handle keys: other services are told what happens to jobs, versions and aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from app.core import errors
from app.core.access import check_unlimited, keys
from app.core.database import now
from app.core.watching import outbox, webhooks
from app.core.watching.outbox import Delivery
from app.web.dependencies import DatabaseDependency, SettingsDependency
from app.web.problems import problem_responses
from app.web.scopes import ADMIN
from app.webhooks.addresses import place_of
from app.webhooks.schemas import (
    DeliveryDescription,
    DeliveryList,
    NewWebhook,
    Tested,
    WebhookDescription,
    WebhookId,
    WebhookList,
    WebhookRequest,
)

router = APIRouter(tags=["webhooks"], dependencies=[Depends(check_unlimited)])


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    openapi_extra=ADMIN,
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.WebhookRefused, errors.InvalidRequest, errors.DatabaseUnavailable),
)
def create(
    wanted: WebhookRequest, response: Response, database: DatabaseDependency, settings: SettingsDependency
) -> NewWebhook:
    """Have messages sent to a URL whose host WORDKIN_WEBHOOK_HOSTS lists, signed as Standard Webhooks says.

    Each is sent until it is answered by a status of 2xx, for three days; it may come twice, and in another order.
    """
    place_of(wanted.url, settings)
    with database.transaction() as session:
        made = webhooks.create(session, wanted.url, wanted.types)
        secret = webhooks.secret_of(keys.secret_of(session, settings.key_secret), made.id)
    response.headers["Cache-Control"] = "no-store"
    return NewWebhook(secret=secret, **WebhookDescription.model_validate(made).model_dump())


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    openapi_extra=ADMIN,
    responses=problem_responses(errors.DatabaseUnavailable),
)
def list_webhooks(database: DatabaseDependency) -> WebhookList:
    """List all webhooks, without their secrets."""
    with database.reading() as session:
        return WebhookList(webhooks=[WebhookDescription.model_validate(each) for each in webhooks.listed(session)])


@router.get(
    "/webhooks/{id}/deliveries",
    operation_id="list_deliveries",
    openapi_extra=ADMIN,
    responses=problem_responses(errors.WebhookNotFound, errors.DatabaseUnavailable),
)
def list_deliveries(
    id: WebhookId,  # noqa: A002 (the path's own name)
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DeliveryList:
    """List what was and will be sent to a webhook, newest first."""
    with database.reading() as session:
        return DeliveryList(deliveries=[_described(each) for each in webhooks.deliveries(session, id, limit=limit)])


def _described(delivery: Delivery) -> DeliveryDescription:
    ended = "delivered" if delivery.delivered_at else "given up"
    state = ended if delivery.next_at is None else "waiting"
    return DeliveryDescription.model_validate(vars(delivery) | {"state": state})


@router.delete(
    "/webhooks/{id}",
    operation_id="delete_webhook",
    openapi_extra=ADMIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.WebhookNotFound, errors.DatabaseUnavailable),
)
def delete(id: WebhookId, database: DatabaseDependency) -> None:  # noqa: A002 (the path's own name)
    """Send nothing more to a webhook."""
    with database.transaction() as session:
        session.delete(webhooks.get(session, id))


@router.post(
    "/webhooks/{id}/test",
    operation_id="test_webhook",
    openapi_extra=ADMIN,
    responses=problem_responses(errors.WebhookNotFound, errors.DatabaseUnavailable),
)
def test(id: WebhookId, database: DatabaseDependency, settings: SettingsDependency) -> Tested:  # noqa: A002 (the path's own name)
    """Send a message of type `webhook.test` at once, and tell what came of it; success enables the webhook again."""
    from app.webhooks.posting import post  # noqa: PLC0415 (the HTTP client is loaded when it is needed)

    with database.reading() as session:
        url, moment = webhooks.get(session, id).url, now(session)
        secret = webhooks.secret_of(keys.secret_of(session, settings.key_secret), id)
    outcome = post(url, secret, outbox.new_id(), outbox.body_of("webhook.test", moment, {"webhook": id}), settings)
    if outcome.is_delivered:
        with database.transaction() as session:
            webhooks.enable(session, id)
    return Tested(delivered=outcome.is_delivered, status=outcome.status, outcome=outcome.told)
