"""The rows of uploads that come in parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.records import Record


class PartialUpload(Record):
    """An upload that has `n_bytes` by now, of `length` if its sender has said so.

    `how` its content is to be read; `sealed_as` is the id of the revision that it has become, and
    `owner` the key that began it.
    """

    __tablename__ = "partial_uploads"
    __table_args__ = (
        CheckConstraint("noun IN ('corpus', 'file')", name="noun"),
        Index("ix_partial_uploads_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    noun: Mapped[str]
    name: Mapped[str]
    how: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True))
    length: Mapped[int | None] = mapped_column(BigInteger)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    sealed_as: Mapped[str | None]
    owner: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class UploadPart(Record):
    """Bytes of it from `first` on; `key` names their object in storage."""

    __tablename__ = "upload_parts"

    upload_id: Mapped[str] = mapped_column(ForeignKey("partial_uploads.id", ondelete="CASCADE"), primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[str]
