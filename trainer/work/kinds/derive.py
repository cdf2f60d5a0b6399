"""A derivation as prose: versions -> steps -> table -> storage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from app.core.payloads import DerivePayload
from app.core.steps import Hard, Leace
from app.core.table.golden import GOLDEN_FILE, GoldenSample, golden_sample
from app.core.table.limits import IndexLimits
from app.core.table.manifest import DerivedOrigin, StepDone
from app.core.table.parts import TOKENIZER
from app.core.table.reading import Table, read_resources
from app.core.table.vocabulary import Vocabulary
from trainer.deriving.apply import apply, overlap
from trainer.deriving.working import Facts, Sources, Working, working_of
from trainer.publishing.publish import Provenance
from trainer.work.context import Context
from trainer.work.debiased import OVERLAP, debiased
from trainer.work.evaluated import beside, told
from trainer.work.messages import Publishes
from trainer.work.published import expect_publishing, publish_version
from trainer.work.stored import open_version, verified_file

DERIVING = "deriving"


def run(payload: DerivePayload, context: Context) -> Publishes:
    """Do the steps, and write the version's files to storage."""
    report = context.report(DERIVING)
    started = time.monotonic()
    parent = open_version(context, payload.parent)
    sources = Sources(
        tables={name: open_version(context, version) for name, version in payload.versions.items()},
        files={name: verified_file(context, file) for name, file in payload.files.items()},
        reader=parent.reader,
    )
    work = working_of(parent)
    found = apply(work, payload.steps, sources, report)
    limits = IndexLimits(payload.index)
    expect_publishing(context, len(work.words), work.vectors.shape[1], limits)
    origin = _origin(payload, found, parent, context, time.monotonic() - started)
    words = work.words
    published = publish_version(
        context,
        Vocabulary.from_words(words, work.counts),
        {"vectors": work.vectors},
        provenance=Provenance(origin, parent.manifest.text, context.model, counts_known=work.counts_known),
        limits=limits,
        sets=payload.evaluate,
        encoding=work.encoding,
        measure=lambda neighbors: {OVERLAP: overlap(parent, words, neighbors)},
        parts=work.parts,
        resources=_resources(parent, work),
    )
    compared = _compared(published, payload)
    done = [(step, facts) for step, facts in zip(payload.steps, found, strict=True) if isinstance(step, Hard | Leace)]
    return debiased(context, compared, parent, sources, done, payload.evaluate) if done else compared


def _compared(published: Publishes, payload: DerivePayload) -> Publishes:
    """The result with what has changed: neighbours, and scores beside those of the parent."""
    overlapping = {OVERLAP: published.manifest["metrics"][OVERLAP]}
    if published.evaluation is None:
        return replace(published, told=published.told | overlapping)
    found = beside(published.evaluation, payload.before)
    return replace(published, evaluation=found, told=published.told | overlapping | told(found))


def _resources(parent: Table, work: Working) -> dict[str, bytes]:
    """What text is read with, the golden sample by the new ids, and the tokenizer that words are still cut by."""
    resources = read_resources(parent.folder, parent.manifest)
    if sample := golden_sample(parent):
        ids = {word: i for i, word in enumerate(work.words)}
        resources[GOLDEN_FILE] = GoldenSample.of(sample.lines, parent.reader, ids.get).content()
    if work.parts is None or work.parts.token_words is None:
        return resources
    return resources | {TOKENIZER: (parent.folder / TOKENIZER).read_bytes()}


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
