"""What Prometheus may ask of a trainer, if the settings give it a port: what it does, and how fast."""

from __future__ import annotations

import sys

from prometheus_client import Gauge, Info, start_http_server

from app.core.claims import Claim
from app.core.errors import reason
from app.core.jobs import JobProgress
from app.core.settings import Settings

BUSY = Gauge("wordkin_trainer_busy", "1 while this trainer has a job")
JOB = Info("wordkin_trainer_job", "The job that this trainer has; empty while it has none")
PROGRESS = Gauge("wordkin_trainer_job_progress", "How much of the job is done, from 0 to 1")
TOKENS_PER_SECOND = Gauge("wordkin_trainer_tokens_per_second", "Speed of reading or training, as last measured")


def serve(settings: Settings) -> None:
    """Answer on the port of the settings, if there is one; one that is taken ends the process."""
    port = settings.trainer_metrics_port
    if port is None:
        return
    try:
        start_http_server(port, addr=settings.host)
    except OSError as error:
        sys.exit(f"error: WORDKIN_TRAINER_METRICS_PORT={port}: {reason(error)}")


def show_job(claim: Claim | None) -> None:
    """Tell which job runs from now on; none before and after."""
    BUSY.set(claim is not None)
    JOB.info({"id": claim.job_id, "kind": claim.kind, "model": claim.model or ""} if claim else {})
    PROGRESS.set(0)
    TOKENS_PER_SECOND.set(0)


def show_progress(progress: JobProgress | None) -> None:
    """Tell what the job has measured."""
    if progress:
        PROGRESS.set(progress.progress)
        TOKENS_PER_SECOND.set(progress.measures.get("tokens_per_second", 0))
