"""What the endpoints about classifiers take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.core.classifier.artefact import ClassifierManifest
from app.core.classifier.features import FeatureKind
from app.core.classifier.report import Report
from app.core.names import Name
from app.core.numbers import NotBoolean
from app.core.records import Alias, AliasMove, Version
from app.core.table.digests import FileDigest
from app.core.table.manifest import FileOrigin, VersionOrigin
from app.core.text.labelled import LabelledFields

MAX_TEXTS = 10_000
MAX_TEXT_LENGTH = 100_000
MAX_PROBABILITIES = 1_000_000
"""Of all texts of a request together."""

ClassifierName = Annotated[Name, Path(description="the classifier", examples=["sentiment"])]
VersionNumber = Annotated[int, Path(ge=1, lt=1 << 31, description="the version's number")]
AliasName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["production"])]


class ClassifierSummary(BaseModel):
    """A version in a list, and what it was measured to be worth."""

    version: int
    created_at: datetime
    job_id: str
    base: Annotated[VersionOrigin, Field(description="the version of vectors that it stands on")]
    features: FeatureKind
    labels: tuple[str, ...]
    n_training: int
    accuracy: float
    macro_f1: float
    beats_baseline: bool
    n_bytes: int

    @classmethod
    def of(cls, row: Version) -> Self:
        manifest = ClassifierManifest.model_validate(row.manifest)
        told = dict(manifest) | {"version": row.number, "job_id": row.job_id, "manifest_sha256": row.manifest_sha256}
        told |= dict(manifest.report.scores) | {"n_training": manifest.report.n_training}
        told |= {"beats_baseline": manifest.report.beats_baseline, "n_bytes": row.n_bytes, "created_at": row.created_at}
        return cls.model_validate({name: told[name] for name in cls.model_fields})


class ClassifierVersion(ClassifierSummary):
    """What a version was made of, and its report. None of it ever changes."""

    classifier: str
    manifest_sha256: str
    format_version: int
    file: FileOrigin
    fields: LabelledFields
    c: Annotated[float, Field(description="inverse strength of the penalty")]
    seed: int
    report: Report
    code_version: str
    files: dict[str, FileDigest]


class ClassifierDescription(BaseModel):
    """A classifier, what its aliases name, and how this process serves it."""

    name: str
    created_at: datetime
    n_versions: Annotated[int, Field(description="the newest version's number; deleted ones count")]
    n_bytes: Annotated[int, Field(description="of all versions in storage")]
    aliases: dict[str, int]
    loaded: Annotated[list[int], Field(description="versions that this process has in memory")]
    degraded: Annotated[
        dict[str, str],
        Field(description="aliases and loaded versions that are not served as they should be, and why"),
    ]


class ClassifierList(BaseModel):
    classifiers: list[ClassifierDescription]


class ClassifierDetails(ClassifierDescription):
    versions: Annotated[list[ClassifierSummary], Field(description="newest first")]


class ClassifierAlias(BaseModel):
    """A movable name of a version. Its `ETag` is the revision; send it as `If-Match` to move the alias."""

    classifier: str
    alias: str
    version: int
    revision: int
    moved_at: datetime

    @classmethod
    def of(cls, row: Alias) -> Self:
        own = {name: getattr(row, name) for name in ("alias", "version", "revision", "moved_at")}
        return cls.model_validate(own | {"classifier": row.model})


class ClassifierAliasMove(BaseModel):
    """One move of an alias; `job_id` if a job made it by publishing."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    version: int
    job_id: str | None
    moved_at: datetime


class ClassifierAliasDetails(ClassifierAlias):
    history: Annotated[list[ClassifierAliasMove], Field(description="newest first")]

    @classmethod
    def with_history(cls, row: Alias, moves: list[AliasMove]) -> Self:
        history = [ClassifierAliasMove.model_validate(move) for move in moves]
        return cls(history=history, **ClassifierAlias.of(row).model_dump())


class ClassifierAliasTarget(BaseModel):
    """Where an alias shall point."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, lt=1 << 31), NotBoolean]


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ClassifyRequest(BaseModel):
    """Texts to classify."""

    model_config = ConfigDict(extra="forbid")

    classifier: Annotated[Name, Field(examples=["sentiment"])]
    version: Annotated[
        str,
        BeforeValidator(_as_text),
        Field(min_length=1, max_length=200, description="a number or an alias of the classifier"),
    ] = "latest"
    texts: Annotated[
        list[Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]],
        Field(min_length=1, max_length=MAX_TEXTS, examples=[["a long and happy life", "they were slain"]]),
    ]
    explain: Annotated[
        bool, Field(strict=True, description="tell what each word adds to the score of the label that is told")
    ] = False


class WordContribution(BaseModel):
    word: str
    contribution: float


class Classified(BaseModel):
    """What a text is told to be; without a known word there is no label, and `abstained` is true."""

    label: str | None
    probabilities: dict[str, float] | None
    n_known_words: int
    abstained: bool
    bias: Annotated[float | None, Field(description="of the label's score, if `explain`")] = None
    words: Annotated[
        list[WordContribution] | None,
        Field(description="if `explain`: with the bias they add up to the label's score, strongest first, 100 at most"),
    ] = None


class ClassifyAnswer(BaseModel):
    """In the order of the texts."""

    classifier: str
    version: int
    model: str
    model_version: int
    results: list[Classified]
