"""A training as prose: corpus -> ids -> vectors -> table -> storage."""

from __future__ import annotations

import hashlib
import json
import time
from multiprocessing.connection import Connection
from pathlib import Path

from app.core import hyperparameters
from app.core.jobs import Claim
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, CorpusOrigin
from app.core.text import TextSpec
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Work
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import Progress, Report
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.messages import Advanced, Order, Published

PHASES = {"reading": (0.0, 0.08), "training": (0.08, 0.92), "publishing": (0.92, 1.0)}
"""The share of a whole job that each phase spans."""


def run(order: Order, connection: Connection) -> Published:
    claim = order.claim
    scratch = Path(order.scratch)
    storage = Storage(order.storage_url, cache=Path(order.cache))
    threads = claim.hyperparameters.get("threads") or order.threads
    chosen = hyperparameters.ALGORITHMS[claim.algorithm].model_validate(claim.hyperparameters | {"threads": threads})
    text = TextSpec.model_validate(claim.text).here()

    def report_to(phase: str) -> Report:
        def report(progress: Progress) -> None:
            connection.send(Advanced(phase, progress))

        report(Progress(0.0))
        return report

    started = time.monotonic()
    source = storage.local_file(claim.corpus_key, scratch / "source")
    corpus = encode(
        source,
        scratch,
        spec=text,
        min_count=chosen.min_count,
        max_words=chosen.max_words,
        threads=threads,
        report=report_to("reading"),
    )
    read_seconds = time.monotonic() - started

    checkpoints = None
    if order.checkpoint_seconds:
        checkpoints = StorageCheckpoints(storage, claim.job_id, scratch, order.checkpoint_seconds)
    started = time.monotonic()
    work = Work(corpus, scratch, threads, report_to("training"), checkpoints)
    trained = ALGORITHMS[claim.algorithm](work, chosen)
    seconds = {"reading": round(read_seconds, 3), "training": round(time.monotonic() - started, 3)}

    provenance = Provenance(
        algorithm=claim.algorithm,
        hyperparameters=chosen.model_dump(mode="json"),
        text=text,
        corpus=_origin(claim, corpus),
        training=trained.facts | {"job": claim.job_id, "attempt": claim.attempt, "seconds": seconds},
    )
    folder = scratch / "version"
    folder.mkdir()
    manifest = publish(
        folder,
        corpus.vocabulary,
        trained.arrays["vectors"],
        provenance=provenance,
        threads=threads,
        report=report_to("publishing"),
    )
    _store(storage, order.prefix, folder, manifest)
    return Published(hashlib.sha256(manifest).hexdigest(), json.loads(manifest))


def _origin(claim: Claim, corpus: EncodedCorpus) -> CorpusOrigin:
    return CorpusOrigin(
        name=claim.corpus_name,
        sha256=claim.corpus_sha256,
        n_bytes=claim.corpus_bytes,
        n_tokens=corpus.n_tokens,
        n_lines=corpus.n_lines,
    )


def _store(storage: Storage, prefix: str, folder: Path, manifest: bytes) -> None:
    """Put the version into storage; it exists once its manifest does, which is written last and only once."""
    for name in json.loads(manifest)["files"]:
        storage.put_file(folder / name, f"{prefix}/{name}")
    if not storage.put_new(manifest, f"{prefix}/{MANIFEST_FILE}"):
        raise RuntimeError(f"{prefix} has a manifest already")
