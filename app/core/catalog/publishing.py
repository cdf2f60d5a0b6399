"""The making of versions: a table that lies complete in storage gets a number, and perhaps an alias."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.core import jobs
from app.core.catalog.models import LATEST, point
from app.core.claims import Claim
from app.core.database import now, serialise
from app.core.jobs import JobRequest
from app.core.records import Alias, ClassifierBase, Model, ModelKind, Version
from app.core.watching.outbox import announce

if TYPE_CHECKING:
    from app.core.evaluation.gate import Evidence


@dataclass(frozen=True)
class Made:
    """What a job has made: the manifest of a version, and its evaluation if there was one.

    A classifier's version has a `base`: the model and the number of the version that it stands on.
    """

    manifest_sha256: str
    manifest: dict[str, Any]
    evaluation: dict[str, Any] | None = None
    base: tuple[str, int] | None = None


@dataclass(frozen=True)
class Published:
    """A new version, and what kept the alias from following it: nothing, if that is empty."""

    version: Version
    held_back: list[Evidence]


def publish(session: Session, claim: Claim, prefix: str, made: Made) -> Published:
    """Number a table that lies complete in storage and move the alias to it that the job names, if its policy allows.

    To be called in the transaction that ends the job, so that all of it happens, or none.

    Raises
    ------
    LeaseLost
        The job is another worker's now, or has ended.
    """
    if claim.model is None:
        raise ValueError("a job that names no model publishes no version")
    from app.core.catalog import evaluations  # noqa: PLC0415 (who only reads aliases needs no reports)

    jobs.owned(session, claim)
    version = _next_version(session, claim.model, ModelKind.CLASSIFIER if made.base else ModelKind.VECTORS)
    version.job_id, version.prefix = claim.job_id, prefix
    version.manifest_sha256, version.manifest = made.manifest_sha256, made.manifest
    version.n_bytes = _n_bytes(made.manifest)
    session.add(version)
    session.flush()
    if made.base:
        _stand(session, version, *made.base)
    announce(session, "version.published", {"model": claim.model, "version": version.number, "job": claim.job_id})
    if made.evaluation:
        evaluations.add(session, version, claim.job_id, made.evaluation)
    alias = claim.payload.get("publish", {}).get("alias", LATEST)
    if alias is None:
        return Published(version, [])
    current = session.get(Alias, (claim.model, alias))
    held_back = evaluations.evidence(session, version, current.version if current else None)
    if not held_back:
        point(session, current, version, alias, job_id=claim.job_id)
    return Published(version, held_back)


def _n_bytes(manifest: dict[str, Any]) -> int:
    return sum(file["n_bytes"] for file in manifest.get("files", {}).values())


def add_recovered(
    session: Session, model: str, prefix: str, manifest: bytes, *, moves_latest: bool, base: Version | None = None
) -> Version:
    """Number a complete table that lies in storage without a row, as of a job that was done elsewhere.

    A classifier stands on the version `base`.
    """
    version = _next_version(session, model, ModelKind.CLASSIFIER if base else ModelKind.VECTORS)
    job = jobs.add_done(session, JobRequest("train", model, {"recovered": prefix}), {"version": version.number})
    version.job_id, version.prefix = job.id, prefix
    version.manifest_sha256, version.manifest = hashlib.sha256(manifest).hexdigest(), json.loads(manifest)
    version.n_bytes = _n_bytes(version.manifest)
    session.add(version)
    session.flush()
    if base:
        _stand(session, version, base.model, base.number)
    if moves_latest:
        point(session, session.get(Alias, (model, LATEST)), version, LATEST, job_id=job.id)
    return version


def _stand(session: Session, version: Version, model: str, number: int) -> None:
    """Keep on which version a classifier's stands."""
    row = ClassifierBase(model=version.model, version=version.number, base_model=model, base_version=number)
    session.add(row)
    session.flush()


def _next_version(session: Session, name: str, kind: ModelKind = ModelKind.VECTORS) -> Version:
    """The next number of a model, which is made if it is new; no other transaction gets it."""
    serialise(session, f"model:{name}")
    moment = now(session)
    model = session.get(Model, name, populate_existing=True)
    if model is None:
        model = Model(name=name, kind=kind, n_versions=0, created_at=moment)
        session.add(model)
    elif model.deleted_at is not None:
        model.kind = kind
    if model.kind != kind:
        raise ValueError(f"{name!r} is the name of something else")  # which the submission has made sure of
    model.deleted_at = None
    model.n_versions += 1
    session.flush()
    return Version(model=name, number=model.n_versions, created_at=moment)
