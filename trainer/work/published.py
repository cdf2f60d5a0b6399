"""The end that all jobs have whose result is a version: words and vectors -> files -> storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.table.arrays import Arrays, Neighbors
from app.core.table.vocabulary import Vocabulary
from trainer.publishing.costs import expected_seconds
from trainer.publishing.index import IndexLimits
from trainer.publishing.publish import Provenance, publish
from trainer.work.context import Context
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

PUBLISHING = "publishing"


def expect_publishing(context: Context, n_words: int, dim: int, limits: IndexLimits) -> None:
    """Say how long the publishing of such a table will take, where nothing else is ahead."""
    seconds = expected_seconds(n_words, dim, context.threads, limits)
    context.expect({Step(PUBLISHING, step): each for step, each in seconds.items()})


def publish_version(
    context: Context,
    vocabulary: Vocabulary,
    arrays: Arrays,
    *,
    provenance: Provenance,
    limits: IndexLimits,
    measure: Callable[[Neighbors], dict[str, Any]] = lambda _: {},
) -> Publishes:
    """Write the version's files, and put them into storage."""
    folder = context.scratch / "version"
    folder.mkdir()
    written = publish(
        folder,
        vocabulary,
        arrays,
        provenance=provenance,
        threads=context.threads,
        report=context.report(PUBLISHING),
        limits=limits,
        measure=measure,
    )
    return store_version(context.storage, context.prefix, folder, written)
