"""Models, their numbered versions, and the aliases that name them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.core import access
from app.core.database import now, serialise
from app.core.errors import (
    AliasReserved,
    ClassifierNotFound,
    GateFailed,
    ModelNotFound,
    PreconditionFailed,
    PreconditionRequired,
    VersionNotFound,
)
from app.core.names import pinned_number, reference
from app.core.records import Alias, AliasMove, ClassifierBase, Model, ModelKind, Version
from app.core.watching.outbox import announce

LATEST = "latest"
NOUNS = {ModelKind.VECTORS: "model", ModelKind.CLASSIFIER: "classifier"}
"""What a model of each kind is called."""


class Revision(Enum):
    """What a client may expect of an alias besides a number."""

    ANY = "any"
    """That it exists, wherever it is."""


@dataclass(frozen=True)
class PublishedVersion:
    """A version and where it lies: all that serving needs. A classifier's stands on another one, its `base`."""

    model: str
    number: int
    prefix: str
    manifest_sha256: str
    base: PublishedVersion | None = None

    @classmethod
    def of(cls, version: Version, base: Version | None = None) -> PublishedVersion:
        standing = None if base is None else cls.of(base)
        return cls(version.model, version.number, version.prefix, version.manifest_sha256, standing)


def list_models(session: Session, kind: ModelKind = ModelKind.VECTORS) -> Sequence[Model]:
    """Those that the caller sees, by name."""
    seen = access.current().among(Model.name)
    query = select(Model).where(Model.deleted_at.is_(None), Model.kind == kind, seen)
    return session.scalars(query.order_by(Model.name)).all()


def sizes(session: Session) -> dict[str, int]:
    """Bytes in storage of all versions, by model."""
    found = session.execute(select(Version.model, func.sum(Version.n_bytes)).group_by(Version.model))
    return {model: int(n_bytes) for model, n_bytes in found}


def get_model(session: Session, name: str, kind: ModelKind = ModelKind.VECTORS) -> Model:
    """Read a model of this kind or raise `ModelNotFound`; `ClassifierNotFound` where it should be a classifier."""
    model = session.get(Model, name) if access.sees(name) else None
    if model is None or model.deleted_at is not None or model.kind != kind:
        if kind == ModelKind.CLASSIFIER:
            raise ClassifierNotFound(f"There is no classifier {name!r}.", classifier=name)
        raise ModelNotFound(f"There is no model {name!r}.", model=name)
    return model


def list_versions(session: Session, model: str) -> Sequence[Version]:
    return session.scalars(select(Version).where(Version.model == model).order_by(Version.number.desc())).all()


def get_version(session: Session, model: str, number: int, kind: ModelKind = ModelKind.VECTORS) -> Version:
    """Read a version or raise as `get_model`, or `VersionNotFound`."""
    get_model(session, model, kind)
    version = session.get(Version, (model, number))
    if version is None:
        raise VersionNotFound(f"The {NOUNS[kind]} {model!r} has no version {number}.", model=model, version=number)
    return version


def version_of(session: Session, model: str, which: str, *, hold: bool = False) -> Version:
    """The version of a number or alias; with `hold` nobody deletes it until the end. Raises as `get_version`."""
    if hold:
        serialise(session, f"model:{model}")
    number = pinned_number(which)
    if number is None:
        number = get_alias(session, model, which).version
    return get_version(session, model, number)


def list_aliases(session: Session, model: str) -> Sequence[Alias]:
    return session.scalars(select(Alias).where(Alias.model == model).order_by(Alias.alias)).all()


def get_alias(session: Session, model: str, alias: str, kind: ModelKind = ModelKind.VECTORS) -> Alias:
    """Read an alias or raise as `get_model`, or `VersionNotFound`."""
    get_model(session, model, kind)
    found = session.get(Alias, (model, alias))
    if found is None:
        raise VersionNotFound(f"The {NOUNS[kind]} {model!r} has no alias {alias!r}.", model=model, alias=alias)
    return found


def alias_history(session: Session, model: str, alias: str, *, limit: int) -> Sequence[AliasMove]:
    query = select(AliasMove).where(AliasMove.model == model, AliasMove.alias == alias)
    return session.scalars(query.order_by(AliasMove.revision.desc()).limit(limit)).all()


def move_alias(
    session: Session,
    model: str,
    alias: str,
    number: int,
    *,
    expected: int | Revision | None,
    override: str | None = None,
) -> Alias:
    """Point an alias at a version, of vectors or of a classifier.

    Parameters
    ----------
    session : of a transaction
    model, alias, number : what is to point where
    expected : the revision that the caller has seen; None for an alias that is new
    override : why it is moved although the model's policy is against it; kept in the history

    Raises
    ------
    AliasReserved
        The name reads as a version number.
    GateFailed
        The model's policy is against it.
    PreconditionRequired, PreconditionFailed
        Without, or with an outdated, expected revision.
    ModelNotFound, VersionNotFound
    """
    check_alias(alias)
    found = session.get(Model, model)
    version = get_version(session, model, number, ModelKind(found.kind) if found else ModelKind.VECTORS)
    serialise(session, f"model:{model}")
    current = session.get(Alias, (model, alias), populate_existing=True)
    revision = current.revision if current else 0
    if current is not None and expected is None:
        raise PreconditionRequired(alias=alias, revision=revision)
    if current is None and expected is not None:
        raise PreconditionFailed(f"There is no alias {alias!r} that If-Match could match.", alias=alias, revision=0)
    check_revision(alias, revision, expected)
    from app.core.catalog import evaluations  # noqa: PLC0415 (who only reads aliases needs no reports)

    held = evaluations.evidence(session, version, current.version if current else None)
    if held and not override:
        raise GateFailed(
            f"{reference(model, number)} does not pass the policy of {model!r}: {held[0].told}",
            alias=alias,
            version=number,
            evidence=[each.model_dump(exclude_none=True) for each in held],
        )
    return point(session, current, version, alias, override=override if held else None)


def check_revision(alias: str, revision: int, expected: int | Revision | None) -> None:
    """Raise `PreconditionFailed` if the alias has moved since the caller has seen it."""
    if expected not in {revision, Revision.ANY, None}:
        raise PreconditionFailed(
            f"The alias {alias!r} is at revision {revision}, not {expected}.", alias=alias, revision=revision
        )


def check_alias(alias: str) -> None:
    """Raise `AliasReserved` for a name that reads as a number."""
    if alias.isdecimal() or (alias[:1] == "v" and alias[1:].isdecimal()):
        raise AliasReserved(f"{alias!r} reads as a version number; choose another name for an alias.", alias=alias)


def existing(session: Session, keys: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of these versions that have not been deleted."""
    models = {model for model, _ in keys}
    found = session.execute(select(Version.model, Version.number).where(Version.model.in_(models)))
    return {(model, number) for model, number in found} & set(keys)


def point(
    session: Session,
    current: Alias | None,
    version: Version,
    alias: str,
    *,
    job_id: str | None = None,
    override: str | None = None,
) -> Alias:
    """Write the move, which its caller has checked."""
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
        override=override,
        moved_at=moment,
    )
    session.add(move)
    session.flush()
    told = {name: getattr(move, name) for name in ("model", "alias", "version", "revision", "override")}
    announce(session, "alias.moved", told | {"job": job_id})
    return current


def serving_state(session: Session) -> list[tuple[str, PublishedVersion]]:
    """Every alias with its version, in one query that reads no manifest: it is asked twice a second."""
    below = aliased(Version)
    query = (
        select(Alias.alias, *_places(Version), *_places(below))
        .join(Version, and_(Version.model == Alias.model, Version.number == Alias.version))
        .outerjoin(ClassifierBase, _is_of(Version))
        .outerjoin(below, and_(below.model == ClassifierBase.base_model, below.number == ClassifierBase.base_version))
        .order_by(Alias.model, Alias.alias)
    )
    found = []
    for alias, model, number, prefix, digest, *of_base in session.execute(query):
        base = PublishedVersion(of_base[0], of_base[1], of_base[2], of_base[3]) if of_base[0] else None
        found.append((alias, PublishedVersion(model, number, prefix, digest, base)))
    return found


def base_of(session: Session, version: Version) -> Version:
    """The version that a classifier's version stands on."""
    row = session.scalars(select(ClassifierBase).where(_is_of(version))).one()
    return session.get_one(Version, (row.base_model, row.base_version))


def _places(version: type[Version]) -> tuple[InstrumentedAttribute[Any], ...]:
    return version.model, version.number, version.prefix, version.manifest_sha256


def _is_of(version: type[Version] | Version) -> ColumnElement[bool]:
    return and_(ClassifierBase.model == version.model, ClassifierBase.version == version.number)
