"""A training as prose: corpus -> ids -> vectors -> table -> storage."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from app.core.errors import CorpusDamaged, CorpusMissing
from app.core.payloads import CorpusSource, TrainPayload
from app.core.table.arrays import FloatArray
from app.core.table.manifest import CorpusOrigin, TrainedOrigin, digest_of
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Setting, Trained
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.publishing.publish import Provenance, publish
from trainer.work.context import Context, Phases
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

PHASES: Phases = {"reading": (0.0, 0.08), "training": (0.08, 0.92), "publishing": (0.92, 1.0)}


def run(payload: TrainPayload, context: Context) -> Publishes:
    """Read the corpus, train, and write the version's files to storage."""
    hyperparameters = payload.hyperparameters
    threads = hyperparameters.get("threads") or context.threads
    payload = payload.model_copy(
        update={"hyperparameters": hyperparameters | {"threads": threads}, "text": payload.text.here()}
    )
    started = time.monotonic()
    corpus = _read(payload, context, threads)
    read = time.monotonic()
    trained = _train(payload, context, corpus)
    seconds = {"reading": round(read - started, 3), "training": round(time.monotonic() - read, 3)}
    origin = TrainedOrigin(
        algorithm=payload.algorithm,
        hyperparameters=payload.hyperparameters,
        corpus=_origin(payload.corpus, corpus),
        training=trained.training | {"job": context.job_id, "attempt": context.attempt, "seconds": seconds},
    )
    return _publish(
        context, corpus.vocabulary, trained.vectors, Provenance(origin, payload.text, context.model), threads
    )


def _read(payload: TrainPayload, context: Context, threads: int) -> EncodedCorpus:
    report = context.report("reading")
    source = payload.corpus
    if not context.storage.exists(source.key):
        raise CorpusMissing(
            f"The text of the corpus {source.name!r} is not in storage; upload it again.", key=source.key
        )
    path = context.storage.local_file(source.key, context.scratch / "source")
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, path)  # beside the reading, which finds the file in the system's cache
        corpus = encode(
            path,
            context.scratch,
            text=payload.text,
            min_count=payload.hyperparameters["min_count"],
            max_words=payload.hyperparameters["max_words"],
            threads=threads,
            report=report,
        )
        if digest.result().sha256 != source.sha256:
            raise CorpusDamaged(
                f"The stored text of the corpus {source.name!r} is not what was uploaded.", key=source.key
            )
    return corpus


def _train(payload: TrainPayload, context: Context, corpus: EncodedCorpus) -> Trained:
    report = context.report("training")
    setting = Setting(payload.hyperparameters, context.scratch, report, context.checkpoints)
    return ALGORITHMS[payload.algorithm](corpus, setting)


def _origin(source: CorpusSource, corpus: EncodedCorpus) -> CorpusOrigin:
    return CorpusOrigin(
        name=source.name,
        sha256=source.sha256,
        n_bytes=source.n_bytes,
        n_tokens=corpus.n_tokens,
        n_lines=corpus.n_lines,
    )


def _publish(
    context: Context, vocabulary: Vocabulary, vectors: FloatArray, provenance: Provenance, threads: int
) -> Publishes:
    folder = context.scratch / "version"
    folder.mkdir()
    written = publish(
        folder, vocabulary, vectors, provenance=provenance, threads=threads, report=context.report("publishing")
    )
    return store_version(context.storage, context.prefix, folder, written)
