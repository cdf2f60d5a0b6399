"""What the key endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.core.access import Grant, ScopeName
from app.core.numbers import NotBoolean

KeyId = Annotated[str, Path(max_length=100, description="the key's id, as listed")]
Days = Annotated[float | None, Field(gt=0, le=36_500, description="after which it expires; default: never")]
OverlapHours = Annotated[float, Field(ge=0, le=8760, description="for which the old key stays good")]


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^\w[\w .\-]*$", description="whose it is", examples=["shop"])
    ]
    scope: Annotated[ScopeName, Field(description="each has those before it")] = "read"
    grants: Annotated[
        list[Grant] | None,
        Field(
            min_length=1,
            max_length=100,
            description="globs of the names (of models, classifiers, corpora and files) that it may know; default: all",
            examples=[["shop-*"]],
        ),
    ] = None
    days: Days = None
    max_bytes: Annotated[
        int | None,
        Field(ge=1, lt=1 << 63, description="of its uploads, with all revisions; default: as the settings say"),
        NotBoolean,
    ] = None
    max_jobs: Annotated[
        int | None,
        Field(ge=1, lt=1 << 31, description="of its jobs that wait; default: as the settings say"),
        NotBoolean,
    ] = None
    max_cost: Annotated[
        int | None,
        Field(ge=1, lt=1 << 63, description="of a training, tokens x epochs x dim; default: as the settings say"),
        NotBoolean,
    ] = None


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    overlap_hours: OverlapHours = 24


class KeyDescription(BaseModel):
    """A key without its secret. `last_used_at` is written about once a minute.

    Its jobs and uploads have its `owner`, as those of the key that it has replaced.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    scope: ScopeName
    grants: list[str] | None
    owner: str
    max_bytes: int | None
    max_jobs: int | None
    max_cost: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(KeyDescription):
    """A key that was just made."""

    token: Annotated[str, Field(description="what callers send; it is never shown again")]


class KeyList(BaseModel):
    """All keys, the newest first, also those that have ended."""

    keys: list[KeyDescription]


class AuditDescription(BaseModel):
    """What was done with a key; without `status` it is being done, or its process was killed then."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    at: datetime
    key_id: str
    key_name: str
    address: str | None
    method: str
    path: str
    request_id: str | None
    status: int | None


class AuditPage(BaseModel):
    """Entries, the newest first; `next` continues the list as ``before=``."""

    entries: list[AuditDescription]
    next: str | None
