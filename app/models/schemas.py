"""What the model endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.core.names import Name
from app.core.records import Alias, Version
from app.core.table.manifest import CorpusOrigin, FileDigest, IndexDescription
from app.core.text import TextSpec

ModelName = Annotated[Name, Path(description="the model", examples=["bible"])]
VersionNumber = Annotated[int, Path(ge=1, lt=1 << 31, description="the version's number")]


AliasName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["production"])]


class VersionSummary(BaseModel):
    """A version in a list."""

    version: int
    created_at: datetime
    job_id: str
    algorithm: str
    n_words: int
    dim: int

    @classmethod
    def of(cls, version: Version) -> VersionSummary:
        manifest = version.manifest
        return cls(
            version=version.number,
            created_at=version.created_at,
            job_id=version.job_id,
            algorithm=manifest["algorithm"],
            n_words=manifest["n_words"],
            dim=manifest["dim"],
        )


class VersionDescription(VersionSummary):
    """Where a version comes from, what it is and what was measured. None of it ever changes."""

    model: str
    manifest_sha256: str
    hyperparameters: dict[str, Any]
    text: TextSpec
    corpus: CorpusOrigin
    index: IndexDescription
    metrics: dict[str, Any]
    training: dict[str, Any]
    code_version: str
    files: dict[str, FileDigest]

    @classmethod
    def of(cls, version: Version) -> VersionDescription:
        described = {name: version.manifest[name] for name in cls.model_fields if name in version.manifest}
        return cls.model_validate(
            described
            | {
                "model": version.model,
                "version": version.number,
                "job_id": version.job_id,
                "created_at": version.created_at,
                "manifest_sha256": version.manifest_sha256,
            }
        )


class ModelDescription(BaseModel):
    """A model, what its aliases name, and how this process serves it."""

    name: str
    created_at: datetime
    n_versions: int
    aliases: dict[str, int]
    loaded: Annotated[list[int], Field(description="versions that this process has in memory")]
    degraded: Annotated[dict[str, str], Field(description="aliases that are not served as they should be, and why")]


class ModelList(BaseModel):
    models: list[ModelDescription]


class ModelDetails(ModelDescription):
    versions: Annotated[list[VersionSummary], Field(description="newest first")]


class AliasMoveDescription(BaseModel):
    """One move of an alias; `job_id` if a job made it by publishing."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    version: int
    job_id: str | None
    moved_at: datetime


class AliasDescription(BaseModel):
    """A movable name of a version. Its `ETag` is the revision; send it as `If-Match` to move the alias."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    alias: str
    version: int
    revision: int
    moved_at: datetime


class AliasDetails(AliasDescription):
    history: Annotated[list[AliasMoveDescription], Field(description="newest first")]


class AliasList(BaseModel):
    aliases: list[AliasDescription]


class AliasTarget(BaseModel):
    """Where an alias shall point."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, lt=1 << 31)]


def etag_of(alias: Alias) -> str:
    return f'"{alias.revision}"'
