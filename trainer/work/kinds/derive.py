"""A derivation as prose: versions -> steps -> table -> storage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import FileDamaged
from app.core.payloads import DerivePayload, FileSource
from app.core.table.manifest import DerivedOrigin, StepDone, digest_of
from app.core.table.reading import Table
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader
from trainer.deriving.apply import apply, overlap
from trainer.deriving.working import Facts, Sources, working_of
from trainer.publishing.costs import expected_seconds
from trainer.publishing.index import IndexLimits
from trainer.publishing.publish import Provenance, publish
from trainer.work.context import Context
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.stored import local_file, open_version, store_version

DERIVING, PUBLISHING = "deriving", "publishing"


def run(payload: DerivePayload, context: Context) -> Publishes:
    """Do the steps, and write the version's files to storage."""
    report = context.report(DERIVING)
    started = time.monotonic()
    parent = open_version(context, payload.parent)
    sources = Sources(
        tables={name: open_version(context, version) for name, version in payload.versions.items()},
        files={name: _verified(file, context) for name, file in payload.files.items()},
        reader=TextReader(parent.manifest.text),
        threads=context.threads,
    )
    work = working_of(parent)
    found = apply(work, payload.steps, sources, report)
    limits = IndexLimits(payload.index)
    ahead = expected_seconds(len(work.words), work.vectors.shape[1], context.threads, limits)
    context.expect({Step(PUBLISHING, step): seconds for step, seconds in ahead.items()})
    origin = _origin(payload, found, parent, context, time.monotonic() - started)
    folder = context.scratch / "version"
    folder.mkdir()
    words, counts_known = work.words, parent.manifest.counts_known
    written = publish(
        folder,
        Vocabulary.from_words(words, work.counts),
        {"vectors": work.vectors},
        provenance=Provenance(origin, parent.manifest.text, context.model, counts_known=counts_known),
        threads=context.threads,
        report=context.report(PUBLISHING),
        limits=limits,
        measure=lambda neighbors: {"overlap_with_parent": overlap(parent, words, neighbors)},
    )
    told = {"overlap_with_parent": written.manifest.metrics["overlap_with_parent"]}
    return store_version(context.storage, context.prefix, folder, written, told)


def _origin(
    payload: DerivePayload, found: Sequence[Facts], parent: Table, context: Context, seconds: float
) -> DerivedOrigin:
    steps = zip(payload.steps, found, strict=True)
    return DerivedOrigin(
        parents=[version.origin() for version in (payload.parent, *payload.versions.values())],
        files=[file.origin() for file in payload.files.values()],
        steps=[StepDone(step=step.model_dump(mode="json"), found=facts) for step, facts in steps],
        frequencies="counted" if parent.manifest.counts_known else "estimated by rank",
        derived={"job": context.job_id, "attempt": context.attempt, "seconds": {DERIVING: round(seconds, 3)}},
    )


def _verified(file: FileSource, context: Context) -> Path:
    path = local_file(context, file)
    if digest_of(path).sha256 != file.sha256:
        raise FileDamaged(f"The stored content of {file.name!r} is not what was uploaded.")
    return path
