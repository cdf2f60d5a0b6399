"""Submitting a derivation."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.core import catalog
from app.core.catalog import evaluations, version_of
from app.core.catalog.sources import file_source, version_source
from app.core.errors import FileNotFound, InvalidRequest
from app.core.evaluation.results import SetResult
from app.core.evaluation.sets import EvaluationSet
from app.core.jobs import JobRequest
from app.core.names import in_one_order, reference, split_reference
from app.core.payloads import DerivePayload, SetSource
from app.core.records import File, Version
from app.core.steps import Combine, Prune, Quantise, Reduce
from app.core.storage import Storage
from app.jobs.schemas import DeriveSubmission

MAX_BEFORE = 20
"""Sets of the parent's evaluations, the newest, that the derived version is asked, too."""


@dataclass(frozen=True)
class Found:
    """The version that is read first, what the steps name, by how they name it, and what was measured before.

    `before` is what the version has answered to sets whose files are still there.
    """

    parent: Version
    versions: dict[str, Version]
    files: dict[str, File]
    before: list[tuple[SetResult, File]]


class Derive:
    """Reads versions, and files that steps name."""

    def find(self, session: Session, submission: DeriveSubmission, *, hold: bool) -> Found:
        parent = reference(submission.model, submission.version)
        named = {name for step in submission.steps for name in step.versions()}
        files = {name for step in submission.steps for name in step.files()}
        versions = {name: version_named(session, name, hold=hold) for name in in_one_order({parent, *named})}
        answered = evaluations.sets_of(session, versions[parent])[:MAX_BEFORE]
        asked = {reference(each.file.name, each.file.revision) for each in answered}
        found = _files(session, files, asked, hold=hold)
        return Found(
            versions[parent],
            {name: versions[name] for name in sorted(named)},
            {name: found[name] for name in in_one_order(files)},
            [(each, file) for each in answered if (file := _file_of(each, found))],
        )

    def check(self, submission: DeriveSubmission, found: Found, storage: Storage) -> None:  # noqa: ARG002 (rows say it)
        """Raise `InvalidRequest` for steps that these versions cannot have."""
        dim = int(found.parent.manifest["dim"])
        for number, step in enumerate(submission.steps):
            if isinstance(step, Combine):
                dim += sum(int(found.versions[name].manifest["dim"]) for name in step.with_)
            wanted = step.dim if isinstance(step, Reduce | Combine) else None
            if wanted is not None and wanted > dim:
                raise InvalidRequest(f"steps.{number}.dim: there are {dim} dimensions, not {wanted}.")
            dim = wanted or dim
            if isinstance(step, Quantise):
                self._check_quantised(submission, number)
            if isinstance(step, Prune) and step.min_count and not found.parent.manifest.get("counts_known", True):
                told = reference(found.parent.model, found.parent.number)
                raise InvalidRequest(f"steps.{number}.min_count: how often words of {told} occur is not known.")

    def _check_quantised(self, submission: DeriveSubmission, number: int) -> None:
        if number + 1 < len(submission.steps):
            raise InvalidRequest(f"steps.{number}: quantise must be the last step; there are steps after it.")
        if submission.index == "graph":
            raise InvalidRequest("index: quantised versions are always searched by a scan; leave the graph out.")

    def request(self, submission: DeriveSubmission, found: Found) -> JobRequest:
        payload = DerivePayload(
            parent=version_source(found.parent),
            steps=tuple(submission.steps),
            versions={name: version_source(version) for name, version in found.versions.items()},
            files={name: file_source(file) for name, file in found.files.items()},
            publish=submission.publish,
            index=submission.index,
            evaluate=tuple(_asked_again(*each) for each in found.before),
            before=tuple(each for each, _ in found.before),
        )
        versions = {reference(each.model, each.number) for each in (found.parent, *found.versions.values())}
        return JobRequest(
            submission.kind,
            submission.into or submission.model,
            payload.model_dump(mode="json"),
            file_ids=sorted({file.id for file in (*found.files.values(), *(file for _, file in found.before))}),
            versions=sorted(versions),
        )


def version_named(session: Session, name: str, *, hold: bool) -> Version:
    model, which = split_reference(name)
    return version_of(session, model, which or "latest", hold=hold)


def _files(session: Session, needed: set[str], wanted: set[str], *, hold: bool) -> dict[str, File]:
    """Files by how they are named, those that are `needed` and what there is of those that are `wanted`."""
    found = {}
    for name in in_one_order(needed | wanted):
        with nullcontext() if name in needed else suppress(FileNotFound):
            found[name] = catalog.files.named(session, name, hold=hold)
    return found


def _file_of(result: SetResult, files: dict[str, File]) -> File | None:
    """The file of questions that were answered, if it is still the same."""
    file = files.get(reference(result.file.name, result.file.revision))
    return file if file and file.sha256 == result.file.sha256 else None


def _asked_again(result: SetResult, file: File) -> SetSource:
    name = reference(result.file.name, result.file.revision)
    asked = EvaluationSet(file=name, type=result.type, max_words=result.max_words, k=result.k, oov=result.oov)
    return SetSource(asked=asked, file=file_source(file))
