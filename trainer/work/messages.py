"""What the process of a job is given and what it says. Plain values: they cross a process border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.claims import Claim


@dataclass(frozen=True)
class Order:
    """One job to do, with all that the process needs for it."""

    claim: Claim
    prefix: str
    scratch: str
    storage_url: str
    cache: str
    threads: int
    checkpoint_seconds: float
    cache_bytes: int | None = None
    log_level: str = "info"
    log_json: bool = False


@dataclass(frozen=True)
class Advanced:
    """The step that runs and how much of it is done, the same of the whole job, and what was measured.

    `fraction` is the step's and `progress` the job's, both from 0 to 1; `eta_seconds` is None while nobody can tell,
    and `history` unless an epoch has ended.
    """

    phase: str
    step: str | None
    fraction: float
    progress: float
    eta_seconds: float | None
    measures: dict[str, float]
    history: list[dict[str, Any]] | None = None

    @property
    def place(self) -> tuple[str, str | None, float]:
        """Where the work is; while this stays the same, nothing moves."""
        return self.phase, self.step, self.fraction


@dataclass(frozen=True)
class Publishes:
    """The job ends with a version: all its files are in storage, the manifest last; `told` is part of its result.

    `evaluation` is what it answered to the sets of its model's policy; `base` the model and the number of the version
    that a classifier stands on.
    """

    manifest_sha256: str
    manifest: dict[str, Any]
    told: dict[str, Any]
    evaluation: dict[str, Any] | None = None
    base: tuple[str, int] | None = None


@dataclass(frozen=True)
class Evaluates:
    """The job ends with what a version has answered; `told` is its result."""

    model: str
    version: int
    evaluation: dict[str, Any]
    told: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """The job cannot succeed, whoever runs it; the user can act on the problem."""

    problem: dict[str, Any]


@dataclass(frozen=True)
class Interrupted:
    """Something has failed that may be well later; `counts` if the job has few such attempts."""

    problem: dict[str, Any]
    counts: bool


@dataclass(frozen=True)
class Stopped:
    """The process was asked to end, and has saved what it could."""


Result = Publishes | Evaluates | Refused | Interrupted | Stopped
