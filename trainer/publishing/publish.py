"""Trained vectors -> the files of a version."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from app.core.nearest.text_vectors import text_component
from app.core.table.arrays import Contents, FloatArray
from app.core.table.lookup import word_order, word_slots
from app.core.table.manifest import FORMAT_VERSION, CorpusOrigin, Manifest, digest_files, write_manifest
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise, write_table
from app.core.text import TextSpec
from trainer.publishing.index import IndexLimits, build_index
from trainer.publishing.neighbors import hubness, nearest_neighbors
from trainer.steps.progress import Progress, Report
from trainer.steps.soundness import check_vectors


@dataclass(frozen=True)
class Provenance:
    """Where the vectors come from; goes into the manifest as it is."""

    algorithm: str
    hyperparameters: dict[str, Any]
    text: TextSpec
    corpus: CorpusOrigin
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def publish(  # noqa: PLR0913 (one call, made once)
    folder: Path,
    vocabulary: Vocabulary,
    vectors: FloatArray,
    *,
    provenance: Provenance,
    threads: int,
    report: Report,
    limits: IndexLimits | None = None,
) -> bytes:
    """Write table, index and, last, the manifest; return the manifest's bytes.

    Parameters
    ----------
    folder : empty local folder
    vectors : float32 (n_words, dim), C-contiguous, as trained, in vocabulary order
    threads : for the neighbour table; the files are the same for any number

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
        The training went wrong; nothing is written.
    """
    check_vectors(vectors)
    unit_vectors, norms = normalise(vectors)
    started = time.monotonic()
    neighbors = nearest_neighbors(unit_vectors, threads=threads, report=_span(report, 0.0, 0.8))
    neighbor_seconds = round(time.monotonic() - started, 3)
    contents = Contents(
        vocabulary,
        unit_vectors,
        norms,
        neighbors,
        word_slots(vocabulary),
        word_order(vocabulary),
        text_component(vectors, vocabulary.counts),
    )
    write_table(folder, contents)
    index = build_index(folder, unit_vectors, limits or IndexLimits(), _span(report, 0.8, 1.0))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        files=digest_files(folder),
        n_words=len(vocabulary),
        dim=vectors.shape[1],
        algorithm=provenance.algorithm,
        hyperparameters=provenance.hyperparameters,
        text=provenance.text,
        corpus=provenance.corpus,
        index=index,
        metrics={
            **provenance.metrics,
            "neighbors": {"n_words": len(neighbors.ids), "k": neighbors.ids.shape[1], "seconds": neighbor_seconds},
            "hubness": hubness(neighbors, vocabulary),
        },
        training=provenance.training,
        code_version=_code_version(),
        created_at=datetime.now(UTC),
    )
    return write_manifest(folder, manifest)


def _span(report: Report, start: float, end: float) -> Report:
    """Report a part of the step as from `start` to `end` of the whole."""
    return lambda progress: report(Progress(fraction=start + (end - start) * progress.fraction))


def _code_version() -> str:
    try:
        return package_version("wordkin")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "source"
