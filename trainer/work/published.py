"""The end that all jobs have whose result is a version: words and vectors -> files -> storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy.typing as npt
import structlog

from app.core.costs.publishing import expected_seconds
from app.core.errors import WordkinError
from app.core.payloads import EvaluationSource
from app.core.table.arrays import Arrays, Neighbors
from app.core.table.continuation import write_continuation
from app.core.table.limits import IndexLimits
from app.core.table.manifest import Manifest
from app.core.table.parts import Parts
from app.core.table.quantised import Encoding
from app.core.table.reading import read_table
from app.core.table.vocabulary import Vocabulary
from trainer.publishing.publish import Kept, Provenance, publish
from trainer.publishing.speed import product_seconds
from trainer.work.context import Context
from trainer.work.evaluated import evaluation_of, told
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

PUBLISHING = "publishing"
logger = structlog.get_logger()


def expect_publishing(context: Context, n_words: int, dim: int, limits: IndexLimits) -> None:
    """Say how long the publishing of such a table will take, where nothing else is ahead."""
    speed, threads = product_seconds(dim, context.threads), context.threads
    seconds = expected_seconds(n_words, dim, limits, threads=threads, product_seconds=speed)
    context.expect({Step(PUBLISHING, step): each for step, each in seconds.items()})


def publish_version(  # noqa: PLR0913 (one call a kind of job)
    context: Context,
    vocabulary: Vocabulary,
    arrays: dict[str, npt.NDArray[Any]],
    *,
    provenance: Provenance,
    limits: IndexLimits,
    sets: Sequence[EvaluationSource] = (),
    encoding: Encoding | None = None,
    measure: Callable[[Neighbors], dict[str, Any]] = lambda _: {},
    annotate: Callable[[Neighbors], Arrays] = lambda _: {},
    parts: Parts | None = None,
    resources: Mapping[str, bytes] = MappingProxyType({}),
    kept: Kept | None = None,
    continuation: Arrays | None = None,
) -> Publishes:
    """Write the version's files, evaluate them if the model's policy has `sets`, and put them into storage.

    The vectors are taken out of `arrays`. `resources` are further files, by the name that the manifest gives them.
    """
    folder = context.scratch / "version"
    folder.mkdir()
    for name, content in resources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    if continuation:
        write_continuation(folder, continuation)
    written = publish(
        folder,
        vocabulary,
        arrays,
        provenance=provenance,
        threads=context.threads,
        report=context.report(PUBLISHING),
        limits=limits,
        measure=measure,
        encoding=encoding,
        annotate=annotate,
        parts=parts,
        kept=kept,
    )
    stored = store_version(context.storage, context.prefix, folder, written)
    return evaluated(context, folder, stored, written.manifest, sets)


def evaluated(
    context: Context, folder: Path, stored: Publishes, manifest: Manifest, sets: Sequence[EvaluationSource]
) -> Publishes:
    """The same with an evaluation if there are sets; one that cannot be read loses nothing but that."""
    if not sets:
        return stored
    try:
        found = evaluation_of(context, read_table(folder, manifest), sets)
    except WordkinError as error:
        logger.warning("evaluation failed", action="evaluation_failed", problem=error.problem())
        return replace(stored, told=stored.told | {"evaluation_failed": error.problem()})
    return replace(stored, evaluation=found, told=stored.told | told(found))
