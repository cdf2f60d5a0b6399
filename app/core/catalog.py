"""The rows that name things: corpora, models with their versions, aliases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
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
from app.core.jobs import Claim
from app.core.records import Alias, AliasMove, Corpus, Model, Version

LATEST = "latest"


@dataclass(frozen=True)
class CorpusContent:
    """What an upload turned out to be."""

    key: str
    sha256: str
    n_bytes: int
    n_lines: int
    n_words: int


@dataclass(frozen=True)
class AliasedVersion:
    """An alias and the version it stands for: all that serving needs."""

    model: str
    alias: str
    revision: int
    version: int
    prefix: str
    manifest_sha256: str


def new_corpus_key() -> str:
    return f"corpora/{secrets.token_hex(16)}"


def get_corpus(session: Session, name: str) -> Corpus:
    """Read a corpus or raise `CorpusNotFound`."""
    corpus = session.scalar(select(Corpus).where(Corpus.name == name))
    if corpus is None:
        raise CorpusNotFound(f"There is no corpus {name!r}.", corpus=name)
    return corpus


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
    corpus = get_corpus(session, name)
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
    jobs.owned(session, claim)
    serialise(session, f"model:{claim.model}")
    moment = now(session)
    model = session.get(Model, claim.model)
    if model is None:
        model = Model(name=claim.model, n_versions=0, created_at=moment)
        session.add(model)
    model.n_versions += 1
    version = Version(
        model=claim.model,
        number=model.n_versions,
        job_id=claim.job_id,
        prefix=prefix,
        manifest_sha256=manifest_sha256,
        manifest=manifest,
        created_at=moment,
    )
    session.add(version)
    session.flush()
    _point(session, session.get(Alias, (claim.model, LATEST)), version, LATEST, job_id=claim.job_id)
    return version


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


def move_alias(session: Session, model: str, alias: str, number: int, *, expected_revision: int | None) -> Alias:
    """Point an alias at a version; a new alias needs no `expected_revision`, an existing one its current revision.

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
    current = session.get(Alias, (model, alias))
    if current is not None and expected_revision is None:
        raise PreconditionRequired(alias=alias, revision=current.revision)
    if expected_revision != (current.revision if current else None):
        raise PreconditionFailed(
            f"The alias {alias!r} is at revision {current.revision if current else 0}, not {expected_revision}.",
            alias=alias,
            revision=current.revision if current else 0,
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


def serving_state(session: Session) -> list[AliasedVersion]:
    """Every alias with the folder of its version, in one query."""
    query = (
        select(Alias, Version)
        .join(Version, and_(Version.model == Alias.model, Version.number == Alias.version))
        .order_by(Alias.model, Alias.alias)
    )
    return [
        AliasedVersion(a.model, a.alias, a.revision, v.number, v.prefix, v.manifest_sha256)
        for a, v in session.execute(query)
    ]
