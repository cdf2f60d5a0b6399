"""Deleting versions, aliases, models and jobs. What something else still names is refused, and the something named."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.catalog import models
from app.core.catalog.models import Revision
from app.core.catalog.standing import standing
from app.core.catalog.use import readers
from app.core.database import now, serialise
from app.core.errors import JobInUse, ModelInUse, VersionInUse
from app.core.names import reference
from app.core.records import Alias, Job, Model, ModelKind, Version


def delete_version(session: Session, model: str, number: int, kind: ModelKind = ModelKind.VECTORS) -> str:
    """Delete the row and return the folder in storage, to be deleted after the commit.

    Raises
    ------
    ModelNotFound, ClassifierNotFound, VersionNotFound
    VersionInUse
        An alias names it, an unfinished job reads it, or a classifier stands on it.
    """
    serialise(session, f"model:{model}")
    version = models.get_version(session, model, number, kind)
    naming = [alias.alias for alias in models.list_aliases(session, model) if alias.version == number]
    if naming:
        told = ", ".join(map(repr, naming))
        raise VersionInUse(f"{reference(model, number)} is named by {told}; move that first.", aliases=naming)
    if job_id := readers(session).get(reference(model, number)):
        raise VersionInUse(f"The job {job_id} still reads {reference(model, number)}.", job=job_id)
    if above := standing(session).get(reference(model, number)):
        raise VersionInUse(f"The classifier {above} stands on {reference(model, number)}.", classifier=above)
    session.delete(version)
    session.flush()
    return version.prefix


def delete_alias(
    session: Session,
    model: str,
    alias: str,
    *,
    expected: int | Revision | None,
    kind: ModelKind = ModelKind.VECTORS,
) -> None:
    """Delete an alias; its history stays, and goes on if it is made anew.

    Raises
    ------
    ModelNotFound, ClassifierNotFound, VersionNotFound, PreconditionFailed
    """
    serialise(session, f"model:{model}")
    found = models.get_alias(session, model, alias, kind)
    models.check_revision(alias, found.revision, expected)
    session.delete(found)
    session.flush()


def delete_model(session: Session, model: str, kind: ModelKind = ModelKind.VECTORS) -> Sequence[str]:
    """Delete a model with its versions and aliases; returns their folders, to be deleted after the commit.

    A later model of this name goes on counting, so that no number ever means two versions.

    Raises
    ------
    ModelNotFound, ClassifierNotFound
    ModelInUse
        A queued or running job will publish into it, or reads a version of it, or a classifier stands on one.
    """
    serialise(session, f"model:{model}")
    found = models.get_model(session, model, kind)
    unfinished = session.scalar(select(Job.id).where(Job.model == model, Job.state.not_in(jobs.ENDED)).limit(1))
    if unfinished:
        raise ModelInUse(
            f"The job {unfinished} will publish into {model!r}; cancel it first.", model=model, job=unfinished
        )
    versions = models.list_versions(session, model)
    in_use, bases = readers(session), standing(session)
    above = [bases[name] for v in versions if (name := reference(model, v.number)) in bases]
    if above:
        raise ModelInUse(f"The classifier {above[0]} stands on {model!r}.", model=model, classifier=above[0])
    reading = [in_use[name] for v in versions if (name := reference(model, v.number)) in in_use]
    if reading:
        raise ModelInUse(f"The job {reading[0]} still reads a version of {model!r}.", model=model, job=reading[0])
    prefixes = [version.prefix for version in versions]
    session.execute(delete_rows(Alias).where(Alias.model == model))
    session.execute(delete_rows(Version).where(Version.model == model))
    found.deleted_at = now(session)
    found.keep_versions = found.policy = None
    return prefixes


def delete_superfluous(session: Session, model: str) -> Sequence[str]:
    """Delete what is beyond the newest `keep_versions` and named by no alias; returns the folders in storage."""
    serialise(session, f"model:{model}")
    found = session.get(Model, model, populate_existing=True)
    if found is None or found.keep_versions is None:
        return []
    named = {alias.version for alias in models.list_aliases(session, model)}
    old = models.list_versions(session, model)[found.keep_versions :]
    in_use = readers(session) | standing(session)
    leaving = [v for v in old if v.number not in named and reference(model, v.number) not in in_use]
    for version in leaving:
        session.delete(version)
    session.flush()
    return [version.prefix for version in leaving]


def delete_job(session: Session, job_id: str) -> None:
    """Delete the record of a job that has ended and left no version.

    Raises
    ------
    JobNotFound, JobInUse
    """
    job = jobs.get(session, job_id)
    if job.state not in jobs.ENDED:
        raise JobInUse(f"The job is {job.state}; cancel it first.", job=job_id, state=job.state)
    version = session.scalar(select(Version).where(Version.job_id == job_id))
    if version is not None:
        told = reference(version.model, version.number)
        raise JobInUse(f"The job has published {told}, which says where it comes from.", job=job_id, version=told)
    session.delete(job)
    session.flush()
