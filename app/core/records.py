"""The rows. Rules that must never be broken are constraints, so that no code path can break them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database import UtcDateTime


class JobState(StrEnum):
    """queued -> running -> succeeded | failed | cancelled; running -> queued when a worker is lost."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Record(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON(none_as_null=True), str: String}  # noqa: RUF012 (read by SQLAlchemy)


class Installation(Record):
    """The one row that tells this database from all others; a storage is marked with it.

    Keys are stored as digests made with `key_secret`, unless a setting names another one.
    """

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(primary_key=True)
    key_secret: Mapped[str | None]


class _Revision(Record):
    """One revision of what a user has uploaded; `key` names its immutable object in storage, `owner` who sent it."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    revision: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[str | None]
    created_at: Mapped[datetime]


class Corpus(_Revision):
    """Text to train on; how many lines and words it has is not known of Parquet."""

    __tablename__ = "corpora"
    __table_args__ = (UniqueConstraint("name", "revision"),)

    n_lines: Mapped[int | None] = mapped_column(BigInteger)
    n_words: Mapped[int | None] = mapped_column(BigInteger)


class File(_Revision):
    """Anything else."""

    __tablename__ = "files"
    __table_args__ = (UniqueConstraint("name", "revision"),)


class Job(Record):
    """One piece of work; `kind` says how `payload` and `result` read. Only `app.core.jobs` changes state and lease.

    Of a training, `cost` is tokens x epochs x dim. Those of a higher `priority` are claimed first; 0 is usual.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
        CheckConstraint("(state = 'running') = (lease_token IS NOT NULL)", name="lease"),
        CheckConstraint("(state = 'succeeded') = (result IS NOT NULL)", name="result"),
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="error"),
        Index("ix_jobs_state_created_at_id", "state", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    kind: Mapped[str]
    model: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    corpus_id: Mapped[str | None] = mapped_column(ForeignKey("corpora.id", ondelete="SET NULL"))
    file_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    versions: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    owner: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    cost: Mapped[int | None] = mapped_column(BigInteger)
    estimate: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    request_sha256: Mapped[str | None]

    phase: Mapped[str | None]
    step: Mapped[str | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    eta_seconds: Mapped[float | None]
    measures: Mapped[dict[str, Any]]
    history: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    n_events: Mapped[int] = mapped_column(default=0, server_default="0")

    attempts: Mapped[int] = mapped_column(Integer, default=0)
    retries: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    not_before: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]

    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ModelKind(StrEnum):
    """What the versions of a model are: vectors of words, or classifiers of texts."""

    VECTORS = "vectors"
    CLASSIFIER = "classifier"


class Model(Record):
    """A name with numbered versions; `n_versions` numbers the next one without gaps, also after all were deleted.

    No number is used twice: answers of a version may be kept by caches for ever. Beyond the newest `keep_versions`
    those that no alias names are removed.
    """

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default=ModelKind.VECTORS, server_default=ModelKind.VECTORS)
    n_versions: Mapped[int] = mapped_column(default=0)
    keep_versions: Mapped[int | None]
    policy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    about: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Version(Record):
    """A published table; never changed once written. `prefix` is its folder in storage."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("job_id"), UniqueConstraint("prefix"))

    model: Mapped[str] = mapped_column(ForeignKey("models.name"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    prefix: Mapped[str]
    manifest_sha256: Mapped[str]
    manifest: Mapped[dict[str, Any]]
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class ClassifierBase(Record):
    """On which version of vectors a version of a classifier stands; that one stays as long as this row does."""

    __tablename__ = "classifier_bases"
    __table_args__ = (
        ForeignKeyConstraint(["model", "version"], ["versions.model", "versions.number"], ondelete="CASCADE"),
        ForeignKeyConstraint(["base_model", "base_version"], ["versions.model", "versions.number"]),
        Index("ix_classifier_bases_base_model_base_version", "base_model", "base_version"),
    )

    model: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    base_model: Mapped[str]
    base_version: Mapped[int]


class Evaluation(Record):
    """What a version answered to sets of questions; rows are only ever added, and go with their version.

    `outcomes` has what every score of the report is made from.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        ForeignKeyConstraint(["model", "version"], ["versions.model", "versions.number"], ondelete="CASCADE"),
        Index("ix_evaluations_model_version", "model", "version"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    version: Mapped[int]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    report: Mapped[dict[str, Any]]
    outcomes: Mapped[list[dict[str, Any]]] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime]


class Alias(Record):
    """A movable name of a version; `revision` grows with every move and guards the next."""

    __tablename__ = "aliases"
    __table_args__ = (ForeignKeyConstraint(["model", "version"], ["versions.model", "versions.number"]),)

    model: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    revision: Mapped[int]
    moved_at: Mapped[datetime]


class AliasMove(Record):
    """History of an alias; rows are only ever added. `override` is why a move did not obey the model's policy."""

    __tablename__ = "alias_moves"

    model: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    job_id: Mapped[str | None]
    override: Mapped[str | None]
    moved_at: Mapped[datetime]


class ApiKey(Record):
    """Who may ask for what; rows stay when a key has ended. `grants` are globs of names, none for all.

    `owner` is what its jobs and uploads have: the id of the first key, also of those that replace it. Where a `max_` is
    none, the settings say how much it may take.
    """

    __tablename__ = "keys"
    __table_args__ = (CheckConstraint("scope IN ('read', 'train', 'admin')", name="scope"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[str]
    scope: Mapped[str]
    grants: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    owner: Mapped[str]
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)
    max_jobs: Mapped[int | None]
    max_cost: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class AuditEntry(Record):
    """What was done with a key; `status` is none while it is being done, or if its process was killed then."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    key_id: Mapped[str]
    key_name: Mapped[str]
    address: Mapped[str | None]
    method: Mapped[str]
    path: Mapped[str]
    request_id: Mapped[str | None]
    status: Mapped[int | None]
