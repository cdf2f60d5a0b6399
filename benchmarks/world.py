"""A published table for benchmarks, made without training: clustered vectors as word embeddings are."""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.command.schema import migrate
from app.core import catalog
from app.core.database import Database
from app.core.jobs import Claim
from app.core.records import Job
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.table.arrays import FloatArray
from app.core.table.manifest import CorpusOrigin
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore


def clustered(n_words: int, dim: int, seed: int = 0) -> FloatArray:
    """Float32 (n_words, dim): clusters of about 20 words."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((max(2, n_words // 20), dim))
    return (centers[rng.integers(0, len(centers), n_words)] + 0.8 * rng.standard_normal((n_words, dim))).astype("f4")


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
    vocabulary = Vocabulary.from_words(words, 10_000_000 // np.arange(1, len(words) + 1) + 5)
    origin = CorpusOrigin(name="synthetic", sha256="0" * 64, n_bytes=1, n_tokens=1, n_lines=1)
    prefixes = [f"versions/{secrets.token_hex(16)}" for _ in range(2)]
    with tempfile.TemporaryDirectory() as made:
        provenance = Provenance("word2vec", {"dim": vectors.shape[1]}, TextSpec(tokenizer="whitespace"), origin)
        manifest = publish(Path(made), vocabulary, vectors, provenance=provenance, threads=2, report=ignore)
        for prefix in prefixes:
            for name in json.loads(manifest)["files"]:
                storage.put_file(Path(made) / name, f"{prefix}/{name}")
    for prefix in prefixes:
        storage.put_new(manifest, f"{prefix}/manifest.json")
        _add_rows(Database(settings.database), prefix, manifest)
    return storage.local_folder(prefixes[0], ["manifest.json"])


def _add_rows(database: Database, prefix: str, manifest: bytes) -> None:
    moment = datetime.now(UTC)
    with database.transaction() as session:
        job = Job(id=secrets.token_hex(16), state="running", model="m", corpus="synthetic", algorithm="word2vec")
        job.hyperparameters, job.text, job.created_at, job.lease_token = {}, {}, moment, "token"
        session.add(job)
        session.flush()
        claim = Claim(job.id, "token", 1, "m", "corpora/x", "synthetic", "0" * 64, 1, "word2vec", {}, {})
        version = catalog.publish(session, claim, prefix, hashlib.sha256(manifest).hexdigest(), json.loads(manifest))
        job.state, job.lease_token, job.version, job.finished_at = "succeeded", None, version.number, moment
    database.close()
