"""How the service does, asked of database and storage when Prometheus asks: jobs, trainers, versions, space."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app.core import access, catalog
from app.core.database import Database, now
from app.core.records import Job, JobState
from app.core.storage import Storage


@dataclass(frozen=True)
class Figures:
    """What was true at one moment."""

    jobs: Mapping[tuple[str, str], int]
    """By state and kind."""
    oldest_queued_seconds: Mapping[str, float]
    """By kind."""
    n_trainers_working: int
    tokens_per_second: float
    version_bytes: Mapping[str, int]
    free_bytes: int | None
    cached_bytes: int | None


class Asker:
    """Asks for the figures."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    def ask(self) -> Figures:
        """Raise `DatabaseUnavailable` if there is no answer."""
        with self._database.reading() as session:
            by_kind = select(Job.state, Job.kind, func.count()).group_by(Job.state, Job.kind)
            counted = {(state, kind): n for state, kind, n in session.execute(by_kind)}
            return Figures(
                jobs=dict.fromkeys(product(JobState, _kinds()), 0) | counted,
                oldest_queued_seconds=_oldest_queued_seconds(session),
                n_trainers_working=_n_trainers_working(session),
                tokens_per_second=_tokens_per_second(session),
                version_bytes=catalog.sizes(session),
                free_bytes=self._storage.free_bytes(),
                cached_bytes=self._storage.cached_bytes(),
            )


def _kinds() -> Collection[str]:
    from app.core.payloads import KINDS  # noqa: PLC0415 (who is not asked for metrics needs no jobs)

    return KINDS


def _oldest_queued_seconds(session: Session) -> dict[str, float]:
    oldest = select(Job.kind, func.min(Job.created_at)).where(Job.state == JobState.QUEUED).group_by(Job.kind)
    moment = now(session)
    waits = {kind: max(0.0, (moment - since).total_seconds()) for kind, since in session.execute(oldest)}
    return dict.fromkeys(_kinds(), 0.0) | waits


def _is_held(session: Session) -> ColumnElement[bool]:
    return and_(Job.state == JobState.RUNNING, Job.lease_expires_at > now(session))


def _n_trainers_working(session: Session) -> int:
    return session.scalar(select(func.count(Job.worker.distinct())).where(_is_held(session))) or 0


def _tokens_per_second(session: Session) -> float:
    measured = session.scalars(select(Job.measures).where(_is_held(session)))
    return float(sum(measures.get("tokens_per_second", 0.0) for measures in measured))


class _Told(Collector):
    def __init__(self, figures: Figures | None) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield GaugeMetricFamily("wordkin_database_up", "Whether the database has answered", int(figures is not None))
        if figures is None:
            return
        jobs = GaugeMetricFamily("wordkin_jobs", "Jobs; those that are queued wait", labels=["state", "kind"])
        for (state, kind), n_jobs in figures.jobs.items():
            jobs.add_metric([state, kind], n_jobs)
        yield jobs
        waits = GaugeMetricFamily(
            "wordkin_oldest_queued_job_seconds", "How long the oldest queued job waits", labels=["kind"]
        )
        for kind, seconds in figures.oldest_queued_seconds.items():
            waits.add_metric([kind], seconds)
        yield waits
        yield GaugeMetricFamily(
            "wordkin_training_tokens_per_second", "Speed of all trainings that read or train", figures.tokens_per_second
        )
        yield GaugeMetricFamily(
            "wordkin_trainers_working", "Trainers that are alive and have a job", figures.n_trainers_working
        )
        n_bytes = GaugeMetricFamily("wordkin_version_bytes", "Bytes of all versions of a model", labels=["model"])
        for model, n in figures.version_bytes.items():
            if access.sees(model):
                n_bytes.add_metric([model], n)
        yield n_bytes
        if figures.free_bytes is not None:
            yield GaugeMetricFamily("wordkin_storage_free_bytes", "Space left in local storage", figures.free_bytes)
        if figures.cached_bytes is not None:
            told = "What copies of a remote storage's files take here"
            yield GaugeMetricFamily("wordkin_cache_bytes", told, figures.cached_bytes)


def as_text(figures: Figures | None) -> bytes:
    """The figures in Prometheus's text format; without any, the database is down."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(figures))
    return generate_latest(registry)
