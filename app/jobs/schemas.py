"""What the job endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.hyperparameters import GloVeHyperparameters, Word2VecHyperparameters
from app.core.names import Name
from app.core.records import JobState
from app.core.text import TextSpec


class _Submission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Annotated[Name, Field(description="the result becomes its next version", examples=["bible"])]
    corpus: Annotated[Name, Field(description="an uploaded corpus", examples=["bible"])]
    text: Annotated[TextSpec, Field(description="how text becomes words")] = TextSpec()


class Word2VecSubmission(_Submission):
    """Train skip-gram or CBOW vectors."""

    algorithm: Literal["word2vec"]
    hyperparameters: Word2VecHyperparameters = Word2VecHyperparameters()


class GloVeSubmission(_Submission):
    """Train GloVe vectors."""

    algorithm: Literal["glove"]
    hyperparameters: GloVeHyperparameters = GloVeHyperparameters()


Submission = Annotated[Word2VecSubmission | GloVeSubmission, Field(discriminator="algorithm")]


class JobProblem(BaseModel):
    """Why a job failed; further members depend on `type`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    detail: str


class JobDescription(BaseModel):
    """A job and where it is. `loss` is the mean per prediction so far, in nats."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    state: JobState
    phase: str | None
    progress: Annotated[float, Field(ge=0, le=1)]
    model: str
    corpus: str
    algorithm: str
    hyperparameters: dict[str, Any]
    text: dict[str, Any]
    tokens_per_second: float | None
    eta_seconds: float | None
    loss: float | None
    held_out_loss: float | None
    epoch: int | None
    attempts: int
    cancel_requested_at: datetime | None
    version: int | None
    error: JobProblem | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(BaseModel):
    """Jobs, newest first; `next` continues the list as ``before=``."""

    jobs: list[JobDescription]
    next: str | None
