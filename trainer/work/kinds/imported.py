"""An import as prose: a file -> words and vectors -> table -> storage."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.payloads import ImportPayload
from app.core.table.arrays import FloatArray
from app.core.table.digests import digest_of
from app.core.table.limits import IndexLimits
from app.core.table.manifest import ImportedOrigin
from app.core.table.parts import Parts
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader
from app.core.vector_files import WITHOUT_WORDS
from trainer.importing import counts
from trainer.importing.read import READERS, Reader, format_of
from trainer.importing.rows import Collected
from trainer.importing.source import Source
from trainer.publishing.publish import Provenance
from trainer.steps.progress import Progress
from trainer.work.context import Context
from trainer.work.messages import Publishes
from trainer.work.published import PUBLISHING, expect_publishing, publish_version
from trainer.work.restore import restore
from trainer.work.stored import check_content, local_file, verified_file

READING = "reading"


def run(payload: ImportPayload, context: Context) -> Publishes:
    """Read the file, and write the version's files to storage."""
    path = local_file(context, payload.file)
    name = format_of(path) if payload.format == "auto" else payload.format
    if name == "native":
        return restore(path, payload, context, (READING, PUBLISHING))
    started = time.monotonic()
    spec = payload.text.here()
    reader = TextReader(spec)
    listed = verified_file(context, payload.vocabulary) if payload.vocabulary else None
    collected = _read(path, READERS[name], payload, context, reader, listed)
    known = collected.counts
    if listed and name not in WITHOUT_WORDS:
        replaces_spaces = payload.rows.spaces == "replace"
        known = counts.of_file(listed, collected.words, reader, replaces_spaces=replaces_spaces)
    vocabulary, vectors, parts = _by_count(collected, known)
    report, resources, told = collected.report, collected.resources, _told(name, collected, parts)
    limits = IndexLimits(payload.index)
    expect_publishing(context, len(vocabulary), vectors.shape[1], limits)
    seconds = {READING: round(time.monotonic() - started, 3)}
    origin = ImportedOrigin(
        format=name,
        file=payload.file.origin(),
        vocabulary=payload.vocabulary and payload.vocabulary.origin(),
        rows=report,
        licence=payload.licence,
        source=payload.source,
        imported={"job": context.job_id, "attempt": context.attempt, "seconds": seconds},
    )
    arrays = {"vectors": vectors}
    del collected, vectors  # which publishing gives back when they are written
    published = publish_version(
        context,
        vocabulary,
        arrays,
        provenance=Provenance(origin, spec, context.model, counts_known=known is not None),
        limits=limits,
        sets=payload.evaluate,
        parts=parts,
        resources=resources,
    )
    return replace(published, told=published.told | told)


def _read(
    path: Path, read: Reader, payload: ImportPayload, context: Context, reader: TextReader, listed: Path | None
) -> Collected:
    """The file's rows, when its content has been verified; `listed` is the local vocabulary."""
    report = context.report(READING)
    source = Source(
        path=path,
        n_bytes=payload.file.n_bytes,
        policies=payload.rows,
        reader=reader,
        threads=context.threads,
        told=lambda fraction: report(Progress(fraction)),
        vocabulary=listed,
    )
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, path)  # beside the reading, which finds the file in the system's cache
        collected = read(source)
        check_content(payload.file, digest.result())
    return collected


def _told(name: str, collected: Collected, parts: Parts | None) -> dict[str, Any]:
    """What the job's result says of the file."""
    told: dict[str, Any] = {"format": name, "rows": collected.report.model_dump(mode="json")}
    told |= {"composes_from": parts.composition.kind if parts else None}
    if collected.n_ngrams:
        n_kept, row_bytes = len(parts.keys) if parts else 0, 4 * collected.vectors.shape[1]
        left_out = (collected.n_ngrams - n_kept) * row_bytes
        told |= {"ngrams": {"n_rows": n_kept, "n_bytes": n_kept * row_bytes, "n_bytes_left_out": left_out}}
    return told | ({"not_composed": collected.not_composed} if collected.not_composed else {})


def _by_count(collected: Collected, known: npt.NDArray[np.int64] | None) -> tuple[Vocabulary, FloatArray, Parts | None]:
    """Words, vectors and parts, the most frequent word first; in the order of the file where no counts are known."""
    words, vectors, parts = collected.words, collected.vectors, collected.parts
    if known is None:
        return Vocabulary.from_words(words, counts.estimated(len(words))), vectors, parts
    order = np.argsort(-known, kind="stable")
    if (np.diff(order) == 1).all():
        return Vocabulary.from_words(words, known), vectors, parts
    parts = parts and parts.renumbered(order, vectors)
    return Vocabulary.from_words([words[i] for i in order.tolist()], known[order]), vectors[order], parts
