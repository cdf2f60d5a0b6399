"""An import as prose: a file -> words and vectors -> table -> storage."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import FileDamaged
from app.core.payloads import ImportPayload
from app.core.table.arrays import FloatArray
from app.core.table.manifest import ImportedOrigin, digest_of
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader
from app.core.vector_files import WITHOUT_WORDS, VectorFormat
from trainer.importing import counts
from trainer.importing.read import READERS, Reader, format_of
from trainer.importing.rows import Collected
from trainer.importing.source import Source
from trainer.publishing.costs import expected_seconds
from trainer.publishing.index import IndexLimits
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import Progress
from trainer.work.context import Context
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.restore import restore
from trainer.work.stored import local_file, store_version

READING, PUBLISHING = "reading", "publishing"


def run(payload: ImportPayload, context: Context) -> Publishes:
    """Read the file, and write the version's files to storage."""
    path = local_file(context, payload.file)
    name = format_of(path) if payload.format == "auto" else payload.format
    if name == "native":
        return restore(path, payload, context, (READING, PUBLISHING))
    started = time.monotonic()
    spec = payload.text.here()
    reader = TextReader(spec)
    collected = _read(path, READERS[name], payload, context, reader)
    known = _known_counts(name, collected, payload, context, reader)
    vocabulary, vectors = _by_count(collected, known)
    limits = IndexLimits(payload.index)
    ahead = expected_seconds(len(vocabulary), vectors.shape[1], context.threads, limits)
    context.expect({Step(PUBLISHING, step): seconds for step, seconds in ahead.items()})
    seconds = {READING: round(time.monotonic() - started, 3)}
    origin = ImportedOrigin(
        format=name,
        file=payload.file.origin(),
        vocabulary=payload.vocabulary and payload.vocabulary.origin(),
        rows=collected.report,
        licence=payload.licence,
        source=payload.source,
        imported={"job": context.job_id, "attempt": context.attempt, "seconds": seconds},
    )
    folder = context.scratch / "version"
    folder.mkdir()
    written = publish(
        folder,
        vocabulary,
        {"vectors": vectors},
        provenance=Provenance(origin, spec, context.model, counts_known=known is not None),
        threads=context.threads,
        report=context.report(PUBLISHING),
        limits=limits,
    )
    told = {"format": name, "rows": collected.report.model_dump(mode="json")}
    return store_version(context.storage, context.prefix, folder, written, told)


def _read(path: Path, read: Reader, payload: ImportPayload, context: Context, reader: TextReader) -> Collected:
    """The file's rows, when its content has been verified."""
    report = context.report(READING)
    source = Source(
        path=path,
        n_bytes=payload.file.n_bytes,
        policies=payload.rows,
        reader=reader,
        threads=context.threads,
        told=lambda fraction: report(Progress(fraction)),
        vocabulary=local_file(context, payload.vocabulary) if payload.vocabulary else None,
    )
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, path)  # beside the reading, which finds the file in the system's cache
        collected = read(source)
        if digest.result().sha256 != payload.file.sha256:
            raise FileDamaged(f"The stored content of {payload.file.name!r} is not what was uploaded.")
    return collected


def _known_counts(
    name: VectorFormat, collected: Collected, payload: ImportPayload, context: Context, reader: TextReader
) -> npt.NDArray[np.int64] | None:
    """Of each word, by the vocabulary, or else by the file."""
    if payload.vocabulary is None or name in WITHOUT_WORDS:
        return collected.counts
    return counts.of_file(local_file(context, payload.vocabulary), collected.words, reader)


def _by_count(collected: Collected, known: npt.NDArray[np.int64] | None) -> tuple[Vocabulary, FloatArray]:
    """Words and vectors, the most frequent first; in the order of the file where no counts are known."""
    words, vectors = collected.words, collected.vectors
    if known is None:
        return Vocabulary.from_words(words, counts.estimated(len(words))), vectors
    order = np.argsort(-known, kind="stable")
    if (np.diff(order) == 1).all():
        return Vocabulary.from_words(words, known), vectors
    return Vocabulary.from_words([words[i] for i in order.tolist()], known[order]), vectors[order]
