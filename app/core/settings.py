"""All settings, read once from ``WORDKIN_*`` variables by whoever builds a process."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.cores import usable_cores

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30

DATABASE_TIMEOUT_SECONDS = 5.0
MAX_CONNECTIONS = 40
"""To the database: as many as the API has threads, so that none waits for one while the database answers."""

Seconds = Annotated[float, Field(gt=0)]
Bytes = Annotated[int, Field(gt=0)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(str.lower)]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DATABASES = ("sqlite", "postgresql")
STORES = ("file", "s3", "gs", "az")
PREFIX = "WORDKIN_"
OTHERS = {"URL", "API_KEY"}
"""Variables of the command line, which are no settings."""
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.\-]*://[^\s/?#@]+")
"""As browsers send it: lower case, without a path, not even a slash at the end."""


class Settings(BaseSettings):
    """Wordkin's settings; each is the variable of the same name with ``WORDKIN_`` before it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = Path("data")
    """Where everything lives by default: database, storage, scratch."""
    database_url: str = ""
    """SQLAlchemy URL; default: SQLite in `data_dir`."""
    database_timeout_seconds: Seconds = DATABASE_TIMEOUT_SECONDS
    """How long a connection, a lock and the answer to a statement are waited for, each; migrations may take longer."""
    storage_url: str = ""
    """``file:///...``, ``s3://...``, ``gs://...``, ``az://...``; default: a folder in `data_dir`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    leave_seconds: Annotated[float, Field(ge=0)] = 0.0
    """After SIGTERM the API answers for so long and says at /readyz that it leaves: balancers need time to see it."""
    allowed_hosts: str = ""
    """Names by which the service may be asked, with commas between; default: loopback's on loopback, else any."""
    cors_origins: str = ""
    """Origins whose pages may ask the service, such as ``https://shop.example``, with commas between; ``*`` for all."""
    allow_anonymous: bool = False
    """Whether an address that others can reach may be served while there is no key; the first key ends that."""
    key_secret: str = ""
    """What digests of keys are made with; default: kept in the database. With another one all keys are invalid."""
    rate_limit: str = ""
    """How often a key, or an address without one, may ask a process: ``100/second;2000/minute``; default: always."""
    webhook_hosts: str = ""
    """Hosts that webhooks may be at, with commas between: ``hooks.example.com,*.example.org:8443``; default: none."""
    webhook_private_hosts: str = ""
    """The same of hosts whose addresses only this network has, such as ``127.0.0.1:9000``; they may use http."""
    audit_days: Annotated[float, Field(gt=0)] = 365.0
    """How long it is kept what was done with keys."""
    log_level: LogLevel = "info"
    log_json: bool = False
    telemetry: bool = False
    """Whether the API sends traces and metrics by OpenTelemetry, to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says."""

    max_corpus_bytes: Bytes = 10 * GIBIBYTE
    """A larger corpus is refused, counted after decompression."""
    max_compression_ratio: Annotated[float, Field(gt=1)] = 200.0
    """Text bytes per received byte, checked after the first 10 MiB of text."""
    min_free_bytes: Annotated[int, Field(ge=0)] = 256 * MEBIBYTE
    """An upload that would leave less space in local storage is refused."""

    upload_hours: Annotated[float, Field(gt=0, le=24 * 365)] = 24.0
    """How long an upload that comes in parts is kept after its last part."""

    max_uploaded_bytes: Bytes | None = None
    """Of all corpora and files, with all revisions; an upload beyond is refused. Default: as the disk has space."""
    max_uploaded_bytes_per_key: Bytes | None = None
    """The same for each key that does not say it; default: no limit of its own."""
    max_queued_jobs: Annotated[int, Field(ge=1)] = 1000
    """While so many jobs wait, another one is refused."""
    max_queued_jobs_per_key: Annotated[int | None, Field(ge=1)] = None
    """The same for each key that does not say it; default: no limit of its own."""
    max_job_cost: Annotated[int | None, Field(ge=1)] = None
    """Tokens x epochs x dim of a training, of keys that do not say it; default: no limit."""
    max_running_jobs_per_key: Annotated[int, Field(ge=1)] = 1
    """While a key has so many jobs running, the waiting jobs of others are begun first."""

    default_model: str | None = None
    """The model of a query that names none; default: the only one there is."""
    model_memory_bytes: Bytes = 4 * GIBIBYTE
    """Tables that are in memory at a time, at most; the least recently used leaves first."""
    max_waiting_searches: Annotated[int, Field(ge=64)] = 1024
    """Queries that may wait in a process; a scan or a long text counts as four of them."""
    registry_poll_seconds: Seconds = 0.5

    worker_poll_seconds: Seconds = 0.2
    """How often a trainer that is idle looks for a job: with this it takes about one hundredth of a core."""
    lease_seconds: Seconds = 30.0
    """A worker that does not renew for this long has lost its job."""
    heartbeat_seconds: Seconds = 1.0
    """How often a worker renews its lease, writes progress and looks for a cancellation."""
    stall_seconds: Seconds = 900.0
    """A job that moves no further for this long is ended and taken up again."""
    stop_grace_seconds: Seconds = 8.0
    """How long a trainer that is asked to end lets its training save where it is; another goes on from there."""
    max_attempts: Annotated[int, Field(ge=1)] = 3
    """A job whose worker died this often fails."""
    max_retries: Annotated[int, Field(ge=0)] = 100
    """A job that storage failed is tried again so often, later each time; those attempts are not counted."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0
    """How often a training saves where it is; 0 turns that off."""
    trainer_threads: Annotated[int, Field(ge=1, default_factory=usable_cores)]
    """Default: all cores that the process may use."""
    trainer_metrics_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Where a trainer tells Prometheus what it does, at the address of `host`; default: nowhere."""
    scratch_dir: Path | None = None
    """Where a training keeps its working files; default: ``scratch`` in `data_dir`."""
    cache_dir: Path | None = None
    """Where copies of a remote storage's files are kept; default: ``cache`` in `data_dir`."""
    cache_bytes: Bytes = 10 * GIBIBYTE
    """What these copies may take; the least recently used leave, but none of a version that is in use."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_scheme("DATABASE_URL", self.database_url, DATABASES)
        _check_scheme("STORAGE_URL", self.storage_url, STORES)
        for origin in self.origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"WORDKIN_CORS_ORIGINS: {origin!r} is no origin such as https://shop.example, nor *")
        _check_rates(self.rate_limit)
        if self.heartbeat_seconds > self.lease_seconds / 3:
            raise ValueError(
                f"WORDKIN_HEARTBEAT_SECONDS ({self.heartbeat_seconds:g}) must be at most a third of "
                f"WORDKIN_LEASE_SECONDS ({self.lease_seconds:g}), or one missed beat would lose the job"
            )
        return self

    @classmethod
    def of_process(cls) -> Self:
        """Read the variables; what is wrong with them ends the process, and is said on standard error."""
        try:
            return cls()
        except ValidationError as error:
            sys.exit(f"error: {explained(error)}")

    @cached_property
    def hosts(self) -> frozenset[str] | None:
        """The names that requests may use; None for any."""
        if self.allowed_hosts:
            return frozenset(_listed(self.allowed_hosts))
        is_loopback = self.host in LOOPBACK
        return frozenset(LOOPBACK) if is_loopback else None

    @property
    def allows_anonymous(self) -> bool:
        """Whether keys are not needed before there is one."""
        return self.allow_anonymous or self.host in LOOPBACK

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """The origins whose pages a browser lets ask the service."""
        return _listed(self.cors_origins)

    @cached_property
    def hooks(self) -> tuple[str, ...]:
        """Where webhooks may be."""
        return _listed(self.webhook_hosts)

    @cached_property
    def private_hooks(self) -> tuple[str, ...]:
        """Where they may be although not everybody can reach that."""
        return _listed(self.webhook_private_hosts)

    @cached_property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'wordkin.sqlite'}"

    @cached_property
    def storage(self) -> str:
        return self.storage_url or (self.data_dir.resolve() / "storage").as_uri()

    @cached_property
    def scratch(self) -> Path:
        return (self.scratch_dir or self.data_dir / "scratch").resolve()

    @cached_property
    def cache(self) -> Path:
        return (self.cache_dir or self.data_dir / "cache").resolve()


def unknown_variables(names: Iterable[str]) -> dict[str, str | None]:
    """The variables that would be settings if they were known, each with the setting that was probably meant."""
    known = [name.upper() for name in Settings.model_fields]
    given = {name: name.upper().removeprefix(PREFIX) for name in names if name.upper().startswith(PREFIX)}
    nearest = {name: get_close_matches(own, known, 1) for name, own in given.items() if own not in [*known, *OTHERS]}
    return {name: PREFIX + found[0] if found else None for name, found in sorted(nearest.items())}


def _listed(given: str) -> tuple[str, ...]:
    """Names with commas between; neither case nor blanks matter."""
    return tuple(name.strip().lower() for name in given.split(",") if name.strip())


def _check_scheme(name: str, url: str, schemes: tuple[str, ...]) -> None:
    """Refuse another scheme; the URL itself is not told, as it may hold a password."""
    if url and url.partition("://")[0].partition("+")[0] not in schemes:
        raise ValueError(f"WORDKIN_{name} must begin with one of {', '.join(f'{scheme}://' for scheme in schemes)}")


def _check_rates(limits: str) -> None:
    if not limits:
        return
    from limits import parse_many  # noqa: PLC0415 (only who limits needs it)

    try:
        parse_many(limits)
    except ValueError as error:
        raise ValueError(f"WORDKIN_RATE_LIMIT: {limits!r} is no limit such as 100/second") from error


def explained(error: ValidationError) -> str:
    """What is wrong with which setting, a line each."""
    from app.core.hyperparameters.names import hint  # noqa: PLC0415 (only wrong settings need it)

    lines = []
    for wrong in error.errors():
        message = wrong["msg"].removeprefix("Value error, ") + hint(wrong)
        name = "".join(map(str, wrong["loc"][:1]))  # none if it is about several
        lines.append(f"WORDKIN_{name.upper()}={wrong['input']}: {message}" if name else message)
    return "\n".join(lines)
