"""What the webhook endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.core.watching.outbox import TYPES, MessageType

WebhookId = Annotated[str, Path(max_length=100, description="the webhook's id, as listed")]
USUAL: list[MessageType] = [each for each in TYPES if each not in {"job.queued", "job.running"}]


class WebhookRequest(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[
        str, Field(max_length=2000, description="where messages go", examples=["https://hooks.example.com/wordkin"])
    ]
    types: Annotated[
        list[MessageType],
        Field(min_length=1, max_length=len(TYPES), description="of the messages that are wanted"),
    ] = USUAL


class WebhookDescription(BaseModel):
    """A webhook without its secret; `disabled_at` is when it had failed for three days, or had answered 410."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    url: str
    types: list[str]
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None


class NewWebhook(WebhookDescription):
    """A webhook that was just made."""

    secret: Annotated[str, Field(description="by which its receiver verifies messages; it is never shown again")]


class WebhookList(BaseModel):
    """All webhooks, the oldest first."""

    webhooks: list[WebhookDescription]


class DeliveryDescription(BaseModel):
    """A message: `waiting` until `next_at`, `delivered`, or `given up`; `outcome` is the last attempt's."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    type: str
    state: Literal["waiting", "delivered", "given up"]
    created_at: datetime
    n_attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    outcome: str | None


class DeliveryList(BaseModel):
    """Messages of the last seven days, the newest first."""

    deliveries: list[DeliveryDescription]


class Tested(BaseModel):
    """What became of a message that was sent at once."""

    delivered: bool
    status: int | None
    outcome: str
