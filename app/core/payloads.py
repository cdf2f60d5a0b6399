"""What each kind of job is told to do: stored with the job, read by the trainer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.names import Name
from app.core.table.manifest import IndexRequest
from app.core.text import TextSpec


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusSource(_Payload):
    """The text to read, as it was when the job was submitted; `key` names its object in storage."""

    name: str
    revision: int | None = None
    key: str
    sha256: str
    n_bytes: int


class Publication(_Payload):
    """Which alias moves to the result; none if `alias` is null."""

    alias: Annotated[Name | None, Field(description="moves to the new version, null: none does")] = "latest"


class TrainPayload(_Payload):
    """Train vectors on a corpus."""

    corpus: CorpusSource
    algorithm: str
    hyperparameters: dict[str, Any]
    text: TextSpec
    publish: Publication = Publication()
    index: IndexRequest = "auto"


KINDS: dict[str, type[BaseModel]] = {"train": TrainPayload}
"""The one list of kinds of job."""
