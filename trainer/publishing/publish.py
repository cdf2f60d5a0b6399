"""Trained vectors -> the files of a version."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

import numpy as np

from app.core.errors import VectorsCollapsed, VectorsNotFinite
from app.core.nearest.text_vectors import text_component
from app.core.table.arrays import Arrays, FloatArray
from app.core.table.lookup import word_order, word_slots
from app.core.table.manifest import (
    FORMAT_VERSION,
    Manifest,
    TrainedOrigin,
    Written,
    describe,
    digest_files,
    write_manifest,
)
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise, write_arrays
from app.core.text import TextSpec
from trainer.publishing.index import IndexLimits, build_index
from trainer.publishing.neighbors import hubness, nearest_neighbors
from trainer.steps.progress import Progress, Report

COLLAPSED_MEAN_COSINE = 0.999
"""Mean cosine of two different words from which on a table tells nothing apart."""


@dataclass(frozen=True)
class Provenance:
    """Where the vectors come from; goes into the manifest as it is."""

    origin: TrainedOrigin
    text: TextSpec
    model: str | None = None
    counts_known: bool = True


def publish(  # noqa: PLR0913 (one call, made once)
    folder: Path,
    vocabulary: Vocabulary,
    vectors: FloatArray,
    *,
    provenance: Provenance,
    threads: int,
    report: Report,
    limits: IndexLimits | None = None,
) -> Written:
    """Write table, index and, last, the manifest.

    Parameters
    ----------
    folder : local folder, empty but for `resources`
    vocabulary : the words
    vectors : float32 (n_words, dim), C-contiguous, as trained, in vocabulary order
    provenance : where they come from
    threads : for the neighbour table; the files are the same for any number
    report : called about once a second
    limits : what decides how the table is searched

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
        The training went wrong; nothing is written.
    """
    check_vectors(vectors)
    unit_vectors, norms = normalise(vectors)
    started = time.monotonic()
    neighbors = nearest_neighbors(unit_vectors, threads=threads, report=_span(report, 0.0, 0.8))
    seconds = round(time.monotonic() - started, 3)
    arrays = {
        "unit_vectors": unit_vectors,
        "norms": norms,
        "neighbor_ids": neighbors.ids,
        "neighbor_scores": neighbors.scores,
        "text_component": text_component(vectors, vocabulary.counts),
        **_of_words(vocabulary),
    }
    write_arrays(folder, arrays)
    index = build_index(folder, unit_vectors, limits or IndexLimits(), _span(report, 0.8, 1.0))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        files=digest_files(folder),
        arrays=describe(arrays),
        n_words=len(vocabulary),
        dim=vectors.shape[1],
        index=index,
        metrics={
            "neighbors": {"n_words": len(neighbors.ids), "k": neighbors.ids.shape[1], "seconds": seconds},
            "hubness": hubness(neighbors, vocabulary),
        },
        code_version=_code_version(),
        created_at=datetime.now(UTC),
        **vars(provenance),
    )
    return write_manifest(folder, manifest)


def _of_words(vocabulary: Vocabulary) -> Arrays:
    return {
        "counts": vocabulary.counts,
        "word_bytes": vocabulary.word_bytes,
        "word_offsets": vocabulary.word_offsets,
        "word_slots": word_slots(vocabulary),
        "word_order": word_order(vocabulary),
    }


def check_vectors(vectors: FloatArray) -> None:
    """Refuse vectors that are not finite, are zero, or all point the same way.

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
    """
    if not np.isfinite(vectors).all():
        broken = int(np.count_nonzero(~np.isfinite(vectors).all(axis=1)))
        raise VectorsNotFinite(
            f"Training diverged: {broken} of {len(vectors)} vectors are not finite. Lower the learning rate."
        )
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not lengths.all():
        raise VectorsCollapsed(f"Training collapsed: {int(np.count_nonzero(lengths == 0))} vectors are zero.")
    n_words = len(vectors)
    total = (vectors / lengths[:, None]).sum(axis=0)
    # the squared length of the sum holds each pair twice and each word with itself once
    mean_cosine = (float(total @ total) - n_words) / (n_words * (n_words - 1)) if n_words > 1 else 0.0
    if mean_cosine > COLLAPSED_MEAN_COSINE:
        raise VectorsCollapsed(
            f"Training collapsed: two words have a cosine of {mean_cosine:.4f} on average, so nothing tells them apart."
        )


def _span(report: Report, start: float, end: float) -> Report:
    """Report a part of the step as from `start` to `end` of the whole."""
    return lambda progress: report(Progress(fraction=start + (end - start) * progress.fraction))


def _code_version() -> str:
    try:
        return package_version("wordkin")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "source"
