"""Trained vectors -> the files of a version."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.costs.publishing import FILES, GRAPH, GRAPH_TRIAL, NEIGHBOR_TABLE
from app.core.nearest.text_vectors import text_component
from app.core.table.arrays import Arrays, FloatArray, Neighbors
from app.core.table.digests import digest_files
from app.core.table.limits import IndexLimits
from app.core.table.lookup import word_order, word_slots
from app.core.table.manifest import FORMAT_VERSION, Manifest, Origin, Written, describe, write_manifest
from app.core.table.parts import Parts
from app.core.table.quantised import Encoding, UnitVectors, encoded, unit_vectors_of
from app.core.table.reading import mapped_arrays
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise, write_arrays
from app.core.text import TextSpec
from trainer.publishing.index import build_index
from trainer.publishing.neighbors import hubness, nearest_neighbors
from trainer.publishing.trial import settled
from trainer.steps.progress import Progress, Report
from trainer.steps.soundness import check_vectors


@dataclass(frozen=True)
class Provenance:
    """Where the vectors come from; goes into the manifest as it is."""

    origin: Origin
    text: TextSpec
    model: str | None = None
    counts_known: bool = True


@dataclass(frozen=True, eq=False)
class Kept:
    """Words that are published as they were before: their ids, unit vectors and lengths, whose last bits stay."""

    ids: npt.NDArray[np.integer[Any]]
    unit_vectors: FloatArray
    norms: FloatArray


def publish(  # noqa: PLR0913 (one call, made once)
    folder: Path,
    vocabulary: Vocabulary,
    trained: dict[str, npt.NDArray[Any]],
    *,
    provenance: Provenance,
    threads: int,
    report: Report,
    limits: IndexLimits | None = None,
    measure: Callable[[Neighbors], dict[str, Any]] = lambda _: {},
    encoding: Encoding | None = None,
    annotate: Callable[[Neighbors], Arrays] = lambda _: {},
    parts: Parts | None = None,
    kept: Kept | None = None,
) -> Written:
    """Write table, index and, last, the manifest.

    Parameters
    ----------
    folder : local folder, empty but for `resources`
    vocabulary : the words
    trained : "vectors", float32 (n_words, dim), C-contiguous, as trained, in vocabulary order, which are taken out and
        changed: they may be most of the memory; others by their names in `app.core.table.arrays`
    provenance : where they come from
    threads : for the neighbour table and a graph; the files are the same for any number
    report : called about once a second
    limits : what decides how the table is searched
    measure : further metrics, from the neighbour table
    encoding : of the stored vectors, by which they are quantised; everything else is then made of what is stored
    annotate : further arrays, from the neighbour table
    parts : what words are composed of that the vocabulary lacks
    kept : words whose vectors are those of another version

    Raises
    ------
    VectorsNotFinite, VectorsCollapsed
        The training went wrong; nothing is written.
    """
    vectors: FloatArray = trained.pop("vectors")
    check_vectors(vectors)
    component = text_component(vectors, vocabulary.counts)
    normal, norms = _normalised(vectors, kept)
    stored = encoded(normal, encoding)
    unit_vectors = unit_vectors_of(stored)
    limits = _settled(unit_vectors, limits or IndexLimits(), report, threads)
    started = time.monotonic()
    neighbors = nearest_neighbors(unit_vectors, threads=threads, report=_of_step(report, NEIGHBOR_TABLE))
    seconds = round(time.monotonic() - started, 3)
    arrays = {
        **stored,
        "norms": norms,
        "neighbor_ids": neighbors.ids,
        "neighbor_scores": neighbors.scores,
        **annotate(neighbors),
        "text_component": component,
        **_of_words(vocabulary),
        **_others(trained, parts),
    }
    write_arrays(folder, arrays)
    described = describe(arrays)
    del vectors, normal, stored, unit_vectors, arrays  # a graph copies them from the file
    on_disk = unit_vectors_of(mapped_arrays(folder))
    index = build_index(folder, on_disk, limits, _of_step(report, GRAPH), threads=threads)
    report(Progress(0.0, step=FILES))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        files=digest_files(folder),
        arrays=described,
        n_words=len(vocabulary),
        dim=on_disk.shape[1],
        composition=parts.composition if parts else None,
        index=index,
        metrics=_metrics(neighbors, vocabulary, seconds) | measure(neighbors),
        code_version=code_version(),
        created_at=datetime.now(UTC),
        **vars(provenance),
    )
    return write_manifest(folder, manifest)


def _normalised(vectors: FloatArray, kept: Kept | None) -> tuple[FloatArray, FloatArray]:
    """Unit vectors, in the place of the vectors, and lengths."""
    normal, norms = normalise(vectors, out=vectors)
    if kept:
        normal[kept.ids], norms[kept.ids] = kept.unit_vectors, kept.norms
    return normal, norms


def _settled(unit_vectors: UnitVectors, limits: IndexLimits, report: Report, threads: int) -> IndexLimits:
    """The limits by which the table is searched, known before the neighbour table: whoever waits is told at once."""
    chosen = settled(unit_vectors, limits, _of_step(report, GRAPH_TRIAL), threads=threads)
    if chosen != limits:
        report(Progress(1.0, step=GRAPH_TRIAL, left_out=GRAPH))
    return chosen


def _metrics(neighbors: Neighbors, vocabulary: Vocabulary, seconds: float) -> dict[str, Any]:
    n_words, k = neighbors.ids.shape
    return {"neighbors": {"n_words": n_words, "k": k, "seconds": seconds}, "hubness": hubness(neighbors, vocabulary)}


def _of_words(vocabulary: Vocabulary) -> Arrays:
    return {
        "counts": vocabulary.counts,
        "word_bytes": vocabulary.word_bytes,
        "word_offsets": vocabulary.word_offsets,
        "word_slots": word_slots(vocabulary),
        "word_order": word_order(vocabulary),
    }


def _others(trained: Arrays, parts: Parts | None) -> Arrays:
    """What is stored as it comes."""
    composed = parts.arrays() if parts else {}
    return {**trained, **composed}


def _of_step(report: Report, step: str) -> Report:
    """The report of a step of this phase."""
    return lambda progress: report(Progress(progress.fraction, step=step))


def code_version() -> str:
    try:
        return package_version("wordkin")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "source"
