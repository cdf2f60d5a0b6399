"""What the job endpoints give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.history import Epoch
from app.core.records import Job, JobState
from app.core.table.manifest import IndexRequest
from app.jobs.starts import StartDescription


class JobProblem(BaseModel):
    """Why a job failed; further members depend on `type`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    detail: str


class Estimate(BaseModel):
    """What a job is expected to need; null is what cannot be known before.

    Of a training's vocabulary is known only what corpora of its size have. How long other kinds take is known when some
    that are like it were measured.
    """

    seconds: Annotated[float | None, Field(description="once it has begun")]
    memory_bytes: int | None
    disk_bytes: Annotated[int | None, Field(description="of the trainer's scratch folder")]
    storage_bytes: Annotated[int | None, Field(description="of the version")]
    measured_jobs: Annotated[
        int,
        Field(description="how many jobs the time was measured in; 0: that of a training is that of another machine"),
    ]


class JobDescription(BaseModel):
    """A job and where it is. What its kind does not have is null; `loss` is the mean per prediction so far, in nats."""

    id: str
    kind: str
    state: JobState
    owner: Annotated[str | None, Field(description="the key that submitted it, by the id of the first of its line")] = (
        None
    )
    priority: int
    cost: Annotated[int | None, Field(description="of a training: tokens x epochs x dim")] = None
    estimate: Annotated[Estimate | None, Field(description="what it is expected to need")] = None
    phase: str | None
    step: Annotated[str | None, Field(description="a named part of the phase, where it has several")] = None
    progress: Annotated[float, Field(ge=0, le=1)]
    model: str | None
    classifier: Annotated[str | None, Field(description="that it makes a version of, with the vectors of `model`")] = (
        None
    )
    corpus: str | None = None
    corpus_revision: int | None = None
    file: str | None = None
    file_revision: int | None = None
    algorithm: str | None = None
    hyperparameters: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    evidence: bool | None = None
    start: StartDescription | None = None
    publish: dict[str, Any] | None = None
    index: IndexRequest | None = None
    tokens_per_second: Annotated[float | None, Field(description="read, and then trained on")] = None
    eta_seconds: float | None
    loss: float | None = None
    held_out_loss: float | None = None
    epoch: int | None = None
    attempts: int
    retries: Annotated[int, Field(description="how often it was put off, as storage or disk failed it")] = 0
    not_before: Annotated[datetime | None, Field(description="until then it is put off")] = None
    cancel_requested_at: datetime | None
    version: Annotated[int | None, Field(description="the number of the version that it has published")] = None
    result: dict[str, Any] | None
    error: JobProblem | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobDescription:
        """The row's own columns, and of payload, measures and result what has a field here."""
        told = {**job.payload, **job.measures, **(job.result or {})}
        for noun in ("corpus", "file"):
            if isinstance(source := told.get(noun), dict):
                told |= {noun: source["name"], f"{noun}_revision": source.get("revision")}
        if isinstance(start := told.get("start"), dict):
            told["start"] = StartDescription.of(start)
        columns = [column.key for column in job.__table__.columns]
        own = {name: getattr(job, name) for name in columns if name in cls.model_fields}
        if job.kind == "classifier":
            own |= {"classifier": job.model, "model": told["base"]["model"]}
        return cls.model_validate(told | own)


class JobHistory(BaseModel):
    """The epochs of a training that have ended, in order; none for other kinds of job."""

    epochs: list[Epoch]


class JobPage(BaseModel):
    """Jobs, newest first; `next` continues the list as ``before=``."""

    jobs: list[JobDescription]
    next: str | None
