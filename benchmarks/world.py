"""A published table for benchmarks, made without training: clustered vectors as word embeddings are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from app.command.schema import migrate
from app.core import catalog, jobs, names
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.payloads import CorpusSource, TrainPayload
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.table.arrays import FloatArray
from app.core.table.limits import IndexLimits
from app.core.table.manifest import MANIFEST_FILE, CorpusOrigin, TrainedOrigin, Written
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore
from trainer.work.stored import store_version

BLOCK = 1 << 14
"""Rows that are made at a time: in float64 all of them would take more memory than what is measured."""


def clustered(n_words: int, dim: int, seed: int = 0) -> FloatArray:
    """Float32 (n_words, dim): clusters of about 20 words."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((max(2, n_words // 20), dim))
    chosen, made = rng.integers(0, len(centers), n_words), np.empty((n_words, dim), np.float32)
    for rows in (slice(start, start + BLOCK) for start in range(0, n_words, BLOCK)):
        made[rows] = centers[chosen[rows]] + 0.8 * rng.standard_normal(made[rows].shape)
    return made


def synthetic(n_words: int, dim: int) -> tuple[list[str], FloatArray]:
    """Words `w0` ... with clustered vectors."""
    return [f"w{i}" for i in range(n_words)], clustered(n_words, dim)


def from_file(path: Path) -> tuple[list[str], FloatArray]:
    """Words and float32 vectors of a text file, a word and its numbers a line, the most frequent first."""
    words, rows = [], []
    with path.open(encoding="utf-8") as file:
        for line in file:
            word, *numbers = line.rstrip("\n").split(" ")
            if len(numbers) > 1 and word:  # word2vec's first line has two numbers only
                words.append(word)
                rows.append(np.array(numbers, np.float32))
    return words, np.stack(rows)


def make(folder: Path, words: Sequence[str], vectors: FloatArray) -> Path:
    """Fill a data folder that serves the words as model `m`, twice over as versions 1 and 2; its table's folder."""
    settings = Settings(data_dir=folder)
    migrate(settings)
    storage = Storage(settings.storage, cache=settings.cache)
    with tempfile.TemporaryDirectory() as made, closing(Database(settings.database)) as database:
        written = published(Path(made), words, {"vectors": vectors})
        for _ in range(2):
            prefix = add_version(database, storage, "m", Path(made), written)
    return storage.local_folder(prefix, [MANIFEST_FILE])


def published(
    folder: Path, words: Sequence[str], trained: dict[str, Any], threads: int = 2, limits: IndexLimits | None = None
) -> Written:
    """Write the files of a version; its "vectors" are taken out of `trained`."""
    vocabulary = Vocabulary.from_words(words, 10_000_000 // np.arange(1, len(words) + 1) + 5)
    corpus = CorpusOrigin(name="synthetic", sha256="0" * 64, n_bytes=1, n_tokens=1, n_lines=1)
    told = {"dim": trained["vectors"].shape[1]}
    origin = TrainedOrigin(algorithm="word2vec", hyperparameters=told, corpus=corpus, training={})
    provenance = Provenance(origin, TextSpec(tokenizer="whitespace"))
    return publish(folder, vocabulary, trained, provenance=provenance, threads=threads, report=ignore, limits=limits)


def add_version(database: Database, storage: Storage, model: str, folder: Path, written: Written) -> str:
    """Make a folder the model's next version, as a trainer does that was given the job; its place in storage."""
    with database.transaction() as session:
        job = jobs.submit(session, JobRequest("train", model, made_payload(written)))
    claim = jobs.claim(database, "maker", lease_seconds=60, max_attempts=1)
    if claim is None or claim.job_id != job.id:
        raise RuntimeError("another job waits in this database")
    prefix = names.attempt_prefix(claim.job_id, claim.token)
    stored = store_version(storage, prefix, folder, written)
    with database.transaction() as session:
        version = catalog.publish(session, claim, prefix, catalog.Made(stored.manifest_sha256, stored.manifest)).version
        jobs.succeed(session, claim, {"version": version.number})
    return prefix


def made_payload(written: Written) -> dict[str, Any]:
    """What the job would have been told whose result this is."""
    told = written.manifest.origin
    if not isinstance(told, TrainedOrigin):
        raise TypeError("only what was trained has this payload")
    source = CorpusSource(name=told.corpus.name, key="corpora/none", sha256=told.corpus.sha256, n_bytes=1)
    payload = TrainPayload(
        corpus=source,
        algorithm=told.algorithm,
        hyperparameters=told.hyperparameters,
        text=written.manifest.text,
    )
    return payload.model_dump(mode="json")
