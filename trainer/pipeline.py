"""One job as prose: corpus -> ids -> vectors -> table -> storage. Runs in a process of its own, without a database."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection as process_connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from app.core.errors import StorageFull, StorageUnavailable, WordkinError
from app.core.hyperparameters import GloVeHyperparameters, Word2VecHyperparameters
from app.core.jobs import Claim
from app.core.storage import Storage
from app.core.table import MANIFEST_FILE, CorpusOrigin, FloatArray
from app.core.text import TextSpec
from trainer import glove, word2vec
from trainer.checkpoint import Checkpoints, FolderCheckpoints
from trainer.corpus import EncodedCorpus, encode
from trainer.messages import Advanced, Interrupted, Order, Published, Refused
from trainer.progress import Progress, Report
from trainer.publish import Provenance, publish

PHASES = {"reading": (0.0, 0.08), "training": (0.08, 0.92), "publishing": (0.92, 1.0)}
"""The share of a whole job that each phase spans."""


class StorageCheckpoints:
    """Checkpoints of one job in storage, so that a trainer on another machine can go on with it."""

    def __init__(self, storage: Storage, job_id: str, scratch: Path, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._storage = storage
        self._key = f"checkpoints/{job_id}/latest"
        self._local = FolderCheckpoints(scratch / "checkpoint", every_seconds)

    def save(self, arrays: Any, state: dict[str, Any]) -> None:
        self._local.save(arrays, state)
        self._storage.put_file(self._local.latest, self._key)

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if not self._storage.exists(self._key):
            return None
        self._local.folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._storage.local_file(self._key, self._local.folder / "download"), self._local.latest)
        return self._local.load()


@dataclass(frozen=True)
class Trained:
    """What an algorithm gives back: float32 vectors (n_words, dim), and what the manifest says of the training."""

    vectors: FloatArray
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What an algorithm works with besides the corpus."""

    hyperparameters: dict[str, Any]
    scratch: Path
    report: Report
    checkpoints: Checkpoints | None


def _train_word2vec(corpus: EncodedCorpus, setting: Setting) -> Trained:
    hyperparameters = Word2VecHyperparameters.model_validate(setting.hyperparameters)
    result = word2vec.train(corpus, hyperparameters, report=setting.report, checkpoints=setting.checkpoints)
    return _trained(result)


def _train_glove(corpus: EncodedCorpus, setting: Setting) -> Trained:
    hyperparameters = GloVeHyperparameters.model_validate(setting.hyperparameters)
    result = glove.train(
        corpus, hyperparameters, setting.scratch, report=setting.report, checkpoints=setting.checkpoints
    )
    return _trained(result)


def _trained(result: Any) -> Trained:
    said = {name: value for name, value in vars(result).items() if name != "vectors"}
    return Trained(result.vectors, to_jsonable_python(said))


ALGORITHMS: dict[str, Callable[[EncodedCorpus, Setting], Trained]] = {
    "word2vec": _train_word2vec,
    "glove": _train_glove,
}


def run(order: Order, connection: Connection) -> None:
    """Do the job; the last message is the result. Without one the process has crashed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    _end_with_parent()
    try:
        connection.send(_run(order, connection))
    except StorageUnavailable as error:
        connection.send(Interrupted(error.detail))
    except WordkinError as error:
        connection.send(Refused(error.problem()))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = StorageFull(f"No space is left in the trainer's scratch folder or storage: {error}.")
        connection.send(Refused(full.problem()))


def _run(order: Order, connection: Connection) -> Published:
    claim = order.claim
    scratch = Path(order.scratch)
    storage = Storage(order.storage_url, cache=Path(order.cache))
    hyperparameters = claim.hyperparameters
    threads = hyperparameters.get("threads") or order.threads
    hyperparameters = hyperparameters | {"threads": threads}
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
        text=text,
        min_count=hyperparameters["min_count"],
        max_words=hyperparameters["max_words"],
        threads=threads,
        report=report_to("reading"),
    )
    read_seconds = time.monotonic() - started

    checkpoints = None
    if order.checkpoint_seconds:
        checkpoints = StorageCheckpoints(storage, claim.job_id, scratch, order.checkpoint_seconds)
    setting = Setting(hyperparameters, scratch, report_to("training"), checkpoints)
    started = time.monotonic()
    trained = ALGORITHMS[claim.algorithm](corpus, setting)
    seconds = {"reading": round(read_seconds, 3), "training": round(time.monotonic() - started, 3)}

    provenance = Provenance(
        algorithm=claim.algorithm,
        hyperparameters=hyperparameters,
        text=text,
        corpus=_origin(claim, corpus),
        training=trained.training | {"job": claim.job_id, "attempt": claim.attempt, "seconds": seconds},
    )
    folder = scratch / "version"
    folder.mkdir()
    manifest = publish(
        folder,
        corpus.vocabulary,
        trained.vectors,
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


def _end_with_parent() -> None:
    """A worker that was killed cannot stop its process: the process notices by itself."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        process_connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
