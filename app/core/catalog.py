"""The rows that name things: corpora, models with their versions, aliases."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.database import now, serialise
from app.core.errors import (
    AliasReserved,
    CorpusInUse,
    CorpusNameTaken,
    CorpusNotFound,
    ModelNotFound,
    PreconditionFailed,
    PreconditionRequired,
    VersionNotFound,
)
from app.core.jobs import Claim, JobRequest
from app.core.records import Alias, AliasMove, Corpus, Model, Version

LATEST = "latest"


class Revision(Enum):
    """What a client may expect of an alias besides a number."""

    ANY = "any"
    """That it exists, wherever it is."""


@dataclass(frozen=True)
class CorpusContent:
    """What an upload turned out to be."""

    key: str
    sha256: str
    n_bytes: int
    n_lines: int
    n_words: int


@dataclass(frozen=True)
class PublishedVersion:
    """A version and where it lies: all that serving needs."""

    model: str
    number: int
    prefix: str
    manifest_sha256: str

    @classmethod
    def of(cls, version: Version) -> PublishedVersion:
        return cls(version.model, version.number, version.prefix, version.manifest_sha256)


def get_corpus(session: Session, name: str) -> Corpus:
    """Read a corpus or raise `CorpusNotFound`."""
    corpus = session.scalar(select(Corpus).where(Corpus.name == name))
    if corpus is None:
        raise CorpusNotFound(f"There is no corpus {name!r}.", corpus=name)
    return corpus


def hold_corpus(session: Session, name: str) -> Corpus:
    """Read a corpus that nobody may delete or replace until the transaction ends, or raise `CorpusNotFound`."""
    serialise(session, f"corpus:{name}")
    return get_corpus(session, name)


def list_corpora(session: Session, *, limit: int, after: str | None = None) -> Sequence[Corpus]:
    query = select(Corpus).order_by(Corpus.name).limit(limit)
    return session.scalars(query.where(Corpus.name > after) if after else query).all()


def add_corpus(session: Session, name: str, content: CorpusContent) -> tuple[Corpus, bool]:
    """Name an upload; False with the corpus that was there, if it has the same content.

    Raises
    ------
    CorpusNameTaken
        A corpus of this name has other content.
    """
    serialise(session, f"corpus:{name}")
    existing = session.scalar(select(Corpus).where(Corpus.name == name))
    if existing is None:
        corpus = Corpus(id=secrets.token_hex(16), name=name, created_at=now(session), **vars(content))
        session.add(corpus)
        session.flush()
        return corpus, True
    if existing.sha256 != content.sha256:
        raise CorpusNameTaken(
            f"The corpus {name!r} exists with other content; delete it first or choose another name.",
            corpus=name,
            sha256=existing.sha256,
        )
    return existing, False


def delete_corpus(session: Session, name: str) -> str:
    """Delete the row and return the storage key, to be deleted after the commit.

    Raises
    ------
    CorpusNotFound, CorpusInUse
    """
    corpus = hold_corpus(session, name)
    if job_id := jobs.reads_corpus(session, corpus.id):
        raise CorpusInUse(f"The job {job_id} still reads the corpus {name!r}.", corpus=name, job=job_id)
    session.delete(corpus)
    return corpus.key


def list_models(session: Session) -> Sequence[Model]:
    return session.scalars(select(Model).order_by(Model.name)).all()


def get_model(session: Session, name: str) -> Model:
    """Read a model or raise `ModelNotFound`."""
    model = session.get(Model, name)
    if model is None:
        raise ModelNotFound(f"There is no model {name!r}.", model=name)
    return model


def list_versions(session: Session, model: str) -> Sequence[Version]:
    return session.scalars(select(Version).where(Version.model == model).order_by(Version.number.desc())).all()


def get_version(session: Session, model: str, number: int) -> Version:
    """Read a version or raise `ModelNotFound` or `VersionNotFound`."""
    get_model(session, model)
    version = session.get(Version, (model, number))
    if version is None:
        raise VersionNotFound(f"The model {model!r} has no version {number}.", model=model, version=number)
    return version


def publish(session: Session, claim: Claim, prefix: str, manifest_sha256: str, manifest: dict[str, Any]) -> Version:
    """Number a table that lies complete in storage and move `latest` to it.

    To be called in the transaction that ends the job, so that all of it happens, or none.

    Raises
    ------
    LeaseLost
        The job is another worker's now, or has ended.
    """
    if claim.model is None:
        raise ValueError("a job that names no model publishes no version")
    jobs.owned(session, claim)
    version = _next_version(session, claim.model)
    version.job_id, version.prefix = claim.job_id, prefix
    version.manifest_sha256, version.manifest = manifest_sha256, manifest
    session.add(version)
    session.flush()
    _point(session, session.get(Alias, (claim.model, LATEST)), version, LATEST, job_id=claim.job_id)
    return version


def add_recovered(session: Session, model: str, prefix: str, manifest: bytes, *, moves_latest: bool) -> Version:
    """Number a complete table that lies in storage without a row, as of a job that was done elsewhere."""
    version = _next_version(session, model)
    job = jobs.add_done(session, JobRequest("train", model, {"recovered": prefix}), {"version": version.number})
    version.job_id, version.prefix = job.id, prefix
    version.manifest_sha256, version.manifest = hashlib.sha256(manifest).hexdigest(), json.loads(manifest)
    session.add(version)
    session.flush()
    if moves_latest:
        _point(session, session.get(Alias, (model, LATEST)), version, LATEST, job_id=job.id)
    return version


def _next_version(session: Session, name: str) -> Version:
    """The next number of a model, which is made if it is new; no other transaction gets it."""
    serialise(session, f"model:{name}")
    moment = now(session)
    model = session.get(Model, name, populate_existing=True)
    if model is None:
        model = Model(name=name, n_versions=0, created_at=moment)
        session.add(model)
    model.n_versions += 1
    session.flush()
    return Version(model=name, number=model.n_versions, created_at=moment)


def list_aliases(session: Session, model: str) -> Sequence[Alias]:
    return session.scalars(select(Alias).where(Alias.model == model).order_by(Alias.alias)).all()


def get_alias(session: Session, model: str, alias: str) -> Alias:
    """Read an alias or raise `ModelNotFound` or `VersionNotFound`."""
    get_model(session, model)
    found = session.get(Alias, (model, alias))
    if found is None:
        raise VersionNotFound(f"The model {model!r} has no alias {alias!r}.", model=model, alias=alias)
    return found


def alias_history(session: Session, model: str, alias: str, *, limit: int) -> Sequence[AliasMove]:
    query = select(AliasMove).where(AliasMove.model == model, AliasMove.alias == alias)
    return session.scalars(query.order_by(AliasMove.revision.desc()).limit(limit)).all()


def move_alias(session: Session, model: str, alias: str, number: int, *, expected: int | Revision | None) -> Alias:
    """Point an alias at a version.

    Parameters
    ----------
    session : of a transaction
    model, alias, number : what is to point where
    expected : the revision that the caller has seen; None for an alias that is new

    Raises
    ------
    AliasReserved
        The name reads as a version number.
    PreconditionRequired, PreconditionFailed
        Without, or with an outdated, expected revision.
    ModelNotFound, VersionNotFound
    """
    if alias.isdecimal() or (alias[:1] == "v" and alias[1:].isdecimal()):
        raise AliasReserved(f"{alias!r} reads as a version number; choose another name for an alias.", alias=alias)
    version = get_version(session, model, number)
    serialise(session, f"model:{model}")
    current = session.get(Alias, (model, alias), populate_existing=True)
    revision = current.revision if current else 0
    if current is not None and expected is None:
        raise PreconditionRequired(alias=alias, revision=revision)
    if current is None and expected is not None:
        raise PreconditionFailed(f"There is no alias {alias!r} that If-Match could match.", alias=alias, revision=0)
    if expected not in {revision, Revision.ANY, None}:
        raise PreconditionFailed(
            f"The alias {alias!r} is at revision {revision}, not {expected}.", alias=alias, revision=revision
        )
    return _point(session, current, version, alias)


def _point(session: Session, current: Alias | None, version: Version, alias: str, job_id: str | None = None) -> Alias:
    moment = now(session)
    if current is None:
        # An alias that is made anew after its removal goes on counting, so that no old ETag fits it
        last = session.scalar(
            select(func.max(AliasMove.revision)).where(AliasMove.model == version.model, AliasMove.alias == alias)
        )
        current = Alias(model=version.model, alias=alias, revision=last or 0)
        session.add(current)
    current.version = version.number
    current.revision += 1
    current.moved_at = moment
    move = AliasMove(
        model=version.model,
        alias=alias,
        revision=current.revision,
        version=version.number,
        job_id=job_id,
        moved_at=moment,
    )
    session.add(move)
    session.flush()
    return current


def serving_state(session: Session) -> list[tuple[str, PublishedVersion]]:
    """Every alias with its version, in one query."""
    query = (
        select(Alias, Version)
        .join(Version, and_(Version.model == Alias.model, Version.number == Alias.version))
        .order_by(Alias.model, Alias.alias)
    )
    return [(alias.alias, PublishedVersion.of(version)) for alias, version in session.execute(query)]
