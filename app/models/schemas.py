"""What the model endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.history import Epoch
from app.core.names import Name
from app.core.numbers import NotBoolean
from app.core.records import Version
from app.core.table.digests import FileDigest
from app.core.table.manifest import (
    CorpusOrigin,
    FileOrigin,
    IndexDescription,
    RowReport,
    StartOrigin,
    StepDone,
    VersionOrigin,
    parse_manifest,
)
from app.core.table.parts import Composition
from app.core.text import TextSpec

ModelName = Annotated[Name, Path(description="the model", examples=["bible"])]
VersionNumber = Annotated[int, Path(ge=1, lt=1 << 31, description="the version's number")]
VersionName = Annotated[Name, Path(description="a number or an alias", examples=["latest"])]

AliasName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["production"])]


class VersionSummary(BaseModel):
    """A version in a list; `origin` says how it came to be."""

    version: int
    created_at: datetime
    job_id: str
    origin: str
    algorithm: str | None
    n_words: int
    dim: int
    n_bytes: int

    @classmethod
    def of(cls, version: Version) -> Self:
        """What row and manifest say that has a field here; what its origin does not have is null."""
        manifest = parse_manifest(version.manifest)
        told: dict[str, Any] = dict.fromkeys(cls.model_fields)
        told |= dict(manifest.origin) | {"step_files": getattr(manifest.origin, "files", None)} | dict(manifest)
        told["history"] = (told.get("training") or {}).get("history")
        told |= {
            "origin": manifest.origin.kind,
            "version": version.number,
            "created_at": version.created_at,
            "n_bytes": version.n_bytes,
        }
        told |= {"model": version.model, "job_id": version.job_id, "manifest_sha256": version.manifest_sha256}
        return cls.model_validate({name: told[name] for name in cls.model_fields})


class VersionDescription(VersionSummary):
    """Where a version comes from, what it is and what was measured. None of it ever changes."""

    model: str
    manifest_sha256: str
    format_version: int
    counts_known: Annotated[bool, Field(description="whether counts are occurrences, or only keep an order")]
    hyperparameters: dict[str, Any] | None
    text: TextSpec
    composition: Annotated[Composition | None, Field(description="what words are made of that the vocabulary lacks")]
    corpus: CorpusOrigin | None
    file: Annotated[FileOrigin | None, Field(description="that the vectors were imported from")]
    format: Annotated[str | None, Field(description="of that file")]
    rows: Annotated[RowReport | None, Field(description="what became of that file's rows")]
    start: Annotated[StartOrigin | None, Field(description="the version that the training went on from")]
    parents: Annotated[list[VersionOrigin] | None, Field(description="that it was derived from")]
    steps: Annotated[list[StepDone] | None, Field(description="by which it was derived, and what they found")]
    step_files: Annotated[list[FileOrigin] | None, Field(description="that those steps have read")]
    frequencies: Annotated[str | None, Field(description="of words, by which steps weighed them")]
    licence: str | None
    source: str | None
    index: IndexDescription
    metrics: dict[str, Any]
    training: dict[str, Any] | None
    history: Annotated[list[Epoch] | None, Field(description="epoch by epoch; null before that was recorded")]
    code_version: str
    files: dict[str, FileDigest]


Prose = Annotated[str, Field(min_length=1, max_length=5_000)]


class About(BaseModel):
    """What the people who keep a model say of it; the cards of its versions repeat it."""

    description: Annotated[
        Prose | None, Field(description="what it is", examples=["Words of our help pages, trained every night."])
    ] = None
    intended_use: Annotated[
        Prose | None, Field(description="what it is good for", examples=["Query expansion in the shop's search."])
    ] = None
    limitations: Annotated[
        Prose | None, Field(description="what it is not good for", examples=["Nothing that decides about people."])
    ] = None
    licence: Annotated[Prose | None, Field(description="of the vectors", examples=["CC BY-SA 4.0"])] = None


class ModelDescription(About):
    """A model, what its aliases name, and how this process serves it."""

    name: str
    created_at: datetime
    n_versions: Annotated[int, Field(description="the newest version's number; deleted ones count")]
    keep_versions: Annotated[int | None, Field(description="so many of the newest stay; null: all")]
    n_bytes: Annotated[int, Field(description="of all versions in storage")]
    aliases: dict[str, int]
    loaded: Annotated[list[int], Field(description="versions that this process has in memory")]
    degraded: Annotated[
        dict[str, str],
        Field(description="aliases and loaded versions that are not served as they should be, and why"),
    ]


class ModelChange(About):
    """What of a model can be changed: what is named; null takes it back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    keep_versions: Annotated[
        int | None,
        Field(ge=1, lt=1 << 31, description="how many of the newest stay, besides those that aliases name"),
        NotBoolean,
    ] = None

    @model_validator(mode="after")
    def _name_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"name at least one of {', '.join(type(self).model_fields)}")
        return self


class ModelList(BaseModel):
    models: list[ModelDescription]


class ModelDetails(ModelDescription):
    versions: Annotated[list[VersionSummary], Field(description="newest first")]


class AliasMoveDescription(BaseModel):
    """One move of an alias; `job_id` if a job made it by publishing, `override` if it did not obey the policy."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    version: int
    job_id: str | None
    override: str | None
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

    version: Annotated[int, Field(ge=1, lt=1 << 31), NotBoolean]
    override: Annotated[
        str | None,
        Field(min_length=3, max_length=500, description="why, where the policy is against it; kept in the history"),
    ] = None
