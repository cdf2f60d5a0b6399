"""What the training process is given and what it says. Plain values: they cross a process border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.jobs import Claim
from trainer.steps.progress import Progress


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


@dataclass(frozen=True)
class Advanced:
    """The phase that runs, and how far it is."""

    phase: str
    progress: Progress


@dataclass(frozen=True)
class Published:
    """All files of the table are in storage, the manifest last."""

    manifest_sha256: str
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """The job cannot succeed, whoever runs it; the user can act on the problem."""

    problem: dict[str, Any]


@dataclass(frozen=True)
class Interrupted:
    """The storage did not answer; another attempt may succeed."""

    detail: str


Message = Advanced | Published | Refused | Interrupted
