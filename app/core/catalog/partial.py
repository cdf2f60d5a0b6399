"""Uploads that come in parts, each an immutable object: what has come is known by rows, so that any process goes on.

A part is durable before its row is written, and that row is written only if the upload ends where the part begins. Of
two who send the same bytes at once one is so refused; its part is an object that no row names.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core import access, quotas
from app.core.database import now
from app.core.errors import UploadNotFound, UploadOffsetMismatch
from app.core.upload_records import PartialUpload, UploadPart


def create(
    session: Session, noun: str, name: str, how: Mapping[str, Any], *, length: int | None, keep: timedelta
) -> PartialUpload:
    """Begin an upload, which ends by itself unless something comes for so long. Raises `NotPermitted`."""
    access.check_name(name)
    moment = now(session)
    begun = PartialUpload(
        id=secrets.token_hex(16),
        noun=noun,
        name=name,
        how=dict(how),
        length=length,
        n_bytes=0,
        owner=access.current().owner,
        created_at=moment,
        expires_at=moment + keep,
    )
    session.add(begun)
    session.flush()
    return begun


def get(session: Session, noun: str, name: str, upload_id: str) -> PartialUpload:
    """Read an upload, or raise `UploadNotFound`."""
    found = session.get(PartialUpload, upload_id) if access.sees(name) else None
    if found is None or (found.noun, found.name) != (noun, name) or found.expires_at <= now(session):
        raise UploadNotFound(
            f"There is no upload {upload_id!r} for the {noun} {name!r}; it may have expired.", upload=upload_id
        )
    return found


def append(session: Session, upload: PartialUpload, key: str, n_bytes: int, *, first: int, keep: timedelta) -> None:
    """Add an object of so many bytes, which must begin where the upload ends.

    Raises
    ------
    UploadOffsetMismatch, QuotaExceeded
    """
    moment = now(session)
    goes_on = (
        update(PartialUpload)
        .where(PartialUpload.id == upload.id, PartialUpload.n_bytes == first, PartialUpload.sealed_as.is_(None))
        .values(n_bytes=first + n_bytes, expires_at=moment + keep)
        .returning(PartialUpload.id)
    )
    if session.scalar(goes_on) is None:
        ends = session.scalar(select(PartialUpload.n_bytes).where(PartialUpload.id == upload.id))
        raise mismatch(ends, first)
    session.add(UploadPart(upload_id=upload.id, first=first, key=key))
    session.flush()
    quotas.check_uploads(session, in_parts=True)


def mismatch(expected: int | None, provided: int) -> UploadOffsetMismatch:
    return UploadOffsetMismatch(
        f"The upload goes on at byte {expected}, not at {provided}; somebody else may be sending it, too.",
        expected_offset=expected,
        provided_offset=provided,
    )


def parts(session: Session, upload: PartialUpload) -> Sequence[str]:
    """The keys of its objects, in their order."""
    query = select(UploadPart.key).where(UploadPart.upload_id == upload.id)
    return session.scalars(query.order_by(UploadPart.first)).all()


def seal(session: Session, upload: PartialUpload, row_id: str) -> Sequence[str]:
    """Say what it has become; returns the keys of its parts, to be deleted after the commit."""
    keys = parts(session, upload)
    session.execute(update(PartialUpload).where(PartialUpload.id == upload.id).values(sealed_as=row_id))
    session.execute(delete(UploadPart).where(UploadPart.upload_id == upload.id))
    return keys


def remove(session: Session, upload: PartialUpload) -> Sequence[str]:
    """Forget it; returns the keys of its parts, to be deleted after the commit."""
    keys = parts(session, upload)
    session.execute(delete(PartialUpload).where(PartialUpload.id == upload.id))
    return keys


def remove_expired(session: Session) -> Sequence[str]:
    """Forget all that nobody has gone on with; returns the keys of their parts."""
    expired = session.scalars(select(PartialUpload).where(PartialUpload.expires_at <= now(session))).all()
    return [key for upload in expired for key in remove(session, upload)]


def all_keys(session: Session) -> set[str]:
    """Of the parts of all uploads."""
    return set(session.scalars(select(UploadPart.key)))
