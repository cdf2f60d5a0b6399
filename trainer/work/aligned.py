"""What a new training shares with the version before it: a rotation, so that stored vectors stay comparable."""

from __future__ import annotations

from typing import Any

import numpy as np
import structlog

from app.core.errors import TableDamaged
from app.core.nearest.exact import one_thread_a_scan
from app.core.payloads import VersionSource
from app.core.table.arrays import FloatArray
from app.core.table.manifest import TABLE_FILE
from app.core.table.stored import StoredTable
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms.algorithm import Trained
from trainer.deriving.moments import transform
from trainer.deriving.others import Ids, rotate
from trainer.deriving.working import Working
from trainer.steps.progress import Progress
from trainer.work.context import Context
from trainer.work.stored import manifest_of

ALIGNING = "aligning"
MAX_WORDS = 20_000
"""The most frequent shared words decide the rotation."""
logger = structlog.get_logger()


def align(context: Context, previous: VersionSource, vocabulary: Vocabulary, trained: Trained) -> dict[str, Any]:
    """Rotate vectors onto a version, and with them what another training would go on from; what is told of it.

    Vectors of other dimensions, or of other words, are left as they are, and so are all if that version is damaged: a
    training is not lost by what another one has left.
    """
    arrays = trained.arrays
    context.report(ALIGNING)(Progress(0.0))
    to = {"to": previous.origin().model_dump(mode="json")}
    work = Working(vocabulary.words(), vocabulary.counts, arrays["vectors"], parts=trained.parts)
    try:
        shared, theirs = _shared(context, previous, work)
    except TableDamaged as error:
        logger.warning("alignment failed", action="alignment_failed", problem=error.problem())
        return {"aligned": to | {"left_out": error.problem()["detail"]}}
    if theirs.shape[1:] != work.vectors.shape[1:]:
        return {"aligned": to | {"left_out": f"that version has {theirs.shape[1]} dimensions"}}
    if len(shared) < work.vectors.shape[1]:
        return {"aligned": to | {"left_out": f"only {len(shared)} words are shared, fewer than dimensions"}}
    with one_thread_a_scan():  # sums of several threads differ in their last bits
        found, matrix = rotate(work, shared, theirs)
        arrays["vectors"] = work.vectors
        if trained.parts and work.parts:
            trained.parts.vectors[:] = work.parts.vectors
        for name, rows in trained.others.items():
            if rows.shape[1] == len(matrix):
                beside = Working([], vocabulary.counts, rows)
                transform(beside, matrix)
                trained.others[name] = beside.vectors
    return {"aligned": to | found}


def _shared(context: Context, previous: VersionSource, work: Working) -> tuple[Ids, FloatArray]:
    """Ids of the most frequent words that the version has, too, and its unit vectors of them; no more is read."""
    manifest = manifest_of(context, previous)
    with StoredTable(context.storage.local_folder(previous.prefix, [TABLE_FILE]), manifest) as stored:
        whole = (stored.rows(name, 0, stored.shape(name)[0]) for name in ("word_bytes", "word_offsets", "counts"))
        theirs = Vocabulary(*whole).ids_of(work.words)
        shared = np.flatnonzero(theirs >= 0)[:MAX_WORDS]
        rows = [stored.unit_rows(word, word + 1) for word in theirs[shared].tolist()]
    return shared, np.concatenate(rows) if rows else np.empty((0, manifest.dim), np.float32)
