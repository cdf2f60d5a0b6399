"""Classifiers and the versions of vectors that they stand on; names that models and classifiers may not share."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.catalog.models import NOUNS
from app.core.database import serialise
from app.core.errors import NameTaken
from app.core.jobs import ENDED
from app.core.names import reference
from app.core.records import ClassifierBase, Job, Model, ModelKind

CLASSIFIER_JOB = "classifier"


def standing(session: Session) -> dict[str, str]:
    """Each version that a classifier stands on, as ``model@3``, and a version of a classifier that does."""
    return {
        reference(row.base_model, row.base_version): reference(row.model, row.version)
        for row in session.scalars(select(ClassifierBase))
    }


def check_name(session: Session, job_kind: str, name: str) -> None:
    """Make sure that what a job publishes may have this name, until the transaction ends.

    Raises
    ------
    NameTaken
        A model of the other kind has it, or will have it when a job ends.
    """
    kind = ModelKind.CLASSIFIER if job_kind == CLASSIFIER_JOB else ModelKind.VECTORS
    found = session.get(Model, name)
    if found is None or found.deleted_at is not None:
        serialise(session, f"model:{name}")
        found = session.get(Model, name, populate_existing=True)
    if found is not None and found.deleted_at is None:
        if found.kind != kind:
            raise NameTaken(f"{name!r} is the name of a {NOUNS[ModelKind(found.kind)]}; choose another one.")
        return
    others = select(Job.id).where(Job.model == name, Job.state.not_in(ENDED))
    are_classifiers = Job.kind == CLASSIFIER_JOB
    other = session.scalar(others.where(~are_classifiers if kind == ModelKind.CLASSIFIER else are_classifiers).limit(1))
    if other:
        raise NameTaken(
            f"The job {other} will give the name {name!r} to something else; choose another one.", job=other
        )
