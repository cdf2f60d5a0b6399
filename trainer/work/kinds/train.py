"""A training as prose: corpus -> ids -> vectors -> table -> storage."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from app.core import hyperparameters
from app.core.costs import EXPECTED, publishing
from app.core.costs import corpus as costs
from app.core.errors import CorpusDamaged, CorpusMissing
from app.core.hyperparameters import Hyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.table.arrays import Arrays, FloatArray
from app.core.table.digests import digest_of
from app.core.table.limits import IndexLimits
from app.core.table.manifest import CorpusOrigin, EvidenceDescription, TrainedOrigin
from app.core.text import TextReader
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Trained, Work
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.corpus.phrases import join_phrases
from trainer.corpus.swapping import swap
from trainer.evaluating.spread import Effects, effects
from trainer.evaluating.words import Vectors
from trainer.publishing import evidence
from trainer.publishing.publish import Kept, Provenance
from trainer.publishing.speed import product_seconds
from trainer.steps.progress import within
from trainer.work.aligned import align
from trainer.work.context import Context
from trainer.work.evaluated import word_sets_of
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.published import PUBLISHING, publish_version
from trainer.work.reading import Reading, learns_pieces, reading_of
from trainer.work.replicas import REPLICAS, Asked, Replica, Stability, replicas_of
from trainer.work.start import Parent
from trainer.work.stored import open_version

READING, TRAINING, EVIDENCE = "reading", "training", "evidence"
LEARNING_SHARE = 0.4
"""Of the time of reading, if pieces are learned first."""


def run(payload: TrainPayload, context: Context) -> Publishes:
    """Read the corpus, train, and write the version's files to storage."""
    context, chosen = _chosen(payload, context)
    started = time.monotonic()
    parent = Parent(open_version(context, payload.start.version), payload.start) if payload.start else None
    ahead = _ahead(payload, chosen, context.threads, parent)
    context.expect(ahead(None))
    reading, encoded, found = _read(payload, chosen, context, parent)
    corpus, swapped = _swapped(payload, encoded, reading.reader, context)
    start = parent.start(corpus, payload.algorithm, chosen) if parent else None
    read = time.monotonic()
    context.expect(ahead(corpus))
    work = Work(corpus, context.scratch, context.threads, context.report(TRAINING), context.checkpoints, start)
    trained = ALGORITHMS[payload.algorithm](work, chosen)
    replicas = _replicas(payload, work, chosen, reading.reader, context)
    told = _told(context, started, read)
    shown, described = _evidence(payload, corpus, chosen, context)
    aligned = _aligned(payload, work, trained, context)
    origin = TrainedOrigin(
        algorithm=payload.algorithm,
        hyperparameters=chosen.model_dump(mode="json"),
        corpus=_origin(payload.corpus, encoded),
        training=trained.facts | found | swapped | ({"rows": corpus.rows} if corpus.rows else {}) | aligned | told,
        evidence=described,
        start=parent.origin(start, corpus) if parent and start else None,
    )
    stability = Stability(replicas, corpus.vocabulary, trained.arrays["vectors"])
    published = publish_version(
        context,
        corpus.vocabulary,
        {**trained.arrays, **shown, **(parent.rows(corpus) if parent else {})},
        provenance=Provenance(origin, reading.spec, context.model),
        limits=IndexLimits(payload.index),
        sets=payload.evaluate,
        annotate=stability.arrays,
        parts=trained.parts,
        measure=stability.metrics,
        kept=_kept(parent, corpus, trained, aligned),
        continuation=trained.others if payload.continuable else None,
        resources=reading.stored(corpus.vocabulary),
    )
    return replace(published, told=published.told | found | swapped | aligned | stability.told)


def _chosen(payload: TrainPayload, context: Context) -> tuple[Context, Hyperparameters]:
    """The context with the threads that were asked for, and all hyperparameters."""
    threads = payload.hyperparameters.get("threads") or context.threads
    kind = hyperparameters.ALGORITHMS[payload.algorithm]
    return replace(context, threads=threads), kind.model_validate(payload.hyperparameters | {"threads": threads})


def _told(context: Context, started: float, read: float) -> dict[str, Any]:
    """Which attempt it was, and its seconds until now."""
    seconds = {"reading": round(read - started, 3), "training": round(time.monotonic() - read, 3)}
    return {"job": context.job_id, "attempt": context.attempt, "seconds": seconds}


def _replicas(
    payload: TrainPayload, work: Work, chosen: Hyperparameters, reader: TextReader, context: Context
) -> list[Replica]:
    """What further trainings gave, if they were asked for."""

    def measure(unit_vectors: FloatArray) -> Effects:
        vectors = Vectors(work.corpus.vocabulary.ids().get, unit_vectors, reader, context.threads)
        return effects(vectors, word_sets_of(context, payload.evaluate))

    expected = EXPECTED[payload.algorithm](work.corpus.n_tokens, chosen, context.threads)
    asked = Asked(payload.replicas - 1, expected, measure)
    return replicas_of(ALGORITHMS[payload.algorithm], work, chosen, asked, context)


def _aligned(payload: TrainPayload, work: Work, trained: Trained, context: Context) -> dict[str, Any]:
    """Turn the vectors, if that was asked for and nothing is to stay where it is; what is told of it."""
    if not payload.align:
        return {}
    if work.start and trained.must_stay(work.start):
        to = payload.align.origin().model_dump(mode="json")
        return {"aligned": {"to": to, "left_out": "the words that it went on from stay where they were"}}
    return align(context, payload.align, work.corpus.vocabulary, trained)


def _kept(parent: Parent | None, corpus: EncodedCorpus, trained: Trained, aligned: dict[str, Any]) -> Kept | None:
    """The words that are published as the parent has them, unless they were turned with the others."""
    is_turned = "mean_cosine" in aligned.get("aligned", {})
    return parent.kept(corpus, trained.is_kept) if parent and trained.is_kept is not None and not is_turned else None


def _ahead(
    payload: TrainPayload, chosen: Hyperparameters, threads: int, parent: Parent | None
) -> Callable[[EncodedCorpus | None], dict[Step, float]]:
    """What the steps after the reading will take, of a corpus; of one that is yet to be read, the reading, too."""
    n_bytes = payload.corpus.n_bytes
    n_tokens, n_words = costs.expected_tokens(n_bytes), costs.expected_words(n_bytes, chosen.max_words)
    if parent:
        n_words = max(n_words, len(parent.table.vocabulary))
    if parent and parent.is_refitted(payload.algorithm, chosen):
        chosen = chosen.model_copy(update={"epochs": chosen.epochs + 1})
    speed = product_seconds(chosen.dim, threads)
    limits = IndexLimits(payload.index)

    def ahead(corpus: EncodedCorpus | None) -> dict[Step, float]:
        sizes = (corpus.n_tokens, len(corpus.vocabulary)) if corpus else (n_tokens, n_words)
        training = EXPECTED[payload.algorithm](sizes[0], chosen, threads)
        ending = publishing.expected_seconds(sizes[1], chosen.dim, limits, threads=threads, product_seconds=speed)
        again: dict[str | None, float] = {None: sum(training.values()) * (payload.replicas - 1)}
        counting = evidence.expected_seconds(sizes[0], chosen.window, threads)
        reading: dict[str | None, float] = {None: costs.expected_seconds(n_bytes, threads, payload.text)}
        phases = {
            READING: {} if corpus else reading,
            TRAINING: training,
            REPLICAS: again if payload.replicas > 1 else {},
            EVIDENCE: counting if payload.evidence else {},
            PUBLISHING: ending,
        }
        return {Step(phase, name): each for phase, steps in phases.items() for name, each in steps.items()}

    return ahead


def _read(
    payload: TrainPayload, chosen: Hyperparameters, context: Context, parent: Parent | None
) -> tuple[Reading, EncodedCorpus, dict[str, Any]]:
    """How the corpus is read, its ids, and what is told of its tokenizer and its phrases."""
    report, source = context.report(READING), payload.corpus
    if not context.storage.exists(source.key):
        raise CorpusMissing(
            f"The text of the corpus {source.name!r} is not in storage; upload it again.", key=source.key
        )
    path = context.storage.local_file(source.key, context.scratch / "source")
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, path)  # beside the reading, which finds the file in the system's cache
        learned = LEARNING_SHARE if learns_pieces(payload) else 0.0
        learning = within(report, 0, learned)
        reading = reading_of(payload, path, context, parent.table if parent else None, learning)
        started = time.monotonic()
        corpus = encode(
            path,
            context.scratch,
            spec=reading.spec.model_copy(update={"phrases": None}),  # which are found of what is read
            resources=reading.resources,
            min_count=1 if reading.spec.phrases else chosen.min_count,
            max_words=None if reading.spec.phrases else chosen.max_words,
            threads=context.threads,
            report=within(report, learned, 1),
            known=parent.table.vocabulary if parent else None,
        )
        if digest.result().sha256 != source.sha256:
            raise CorpusDamaged(
                f"The stored text of the corpus {source.name!r} is not what was uploaded.", key=source.key
            )
    found: dict[str, Any] = {}
    if reading.spec.options:
        speed = round(corpus.n_corpus_tokens / (time.monotonic() - started))
        found = {"tokenizer": {"kind": reading.spec.options.kind, "tokens_per_second": speed}}
    if not reading.spec.phrases:
        return reading, corpus, found
    joined = join_phrases(corpus, reading.spec.phrases, chosen, context.scratch)
    return reading.with_phrases(joined.passes), joined.corpus, found | joined.told


def _swapped(
    payload: TrainPayload, corpus: EncodedCorpus, reader: TextReader, context: Context
) -> tuple[EncodedCorpus, dict[str, dict[str, Any]]]:
    """The corpus with the lines that pairs of words add, and what is told of them."""
    if not payload.swap_pairs:
        return corpus, {}
    swapped, told = swap(corpus, payload.swap_pairs, reader, context.scratch)
    return swapped, {"swapped": told}


def _evidence(
    payload: TrainPayload, corpus: EncodedCorpus, chosen: Hyperparameters, context: Context
) -> tuple[Arrays, EvidenceDescription | None]:
    """What the corpus shows, and how it was counted; nothing unless that is asked for."""
    if not payload.evidence:
        return {}, None
    return evidence.find(corpus, chosen.window, context.threads, context.report(EVIDENCE))


def _origin(source: CorpusSource, corpus: EncodedCorpus) -> CorpusOrigin:
    return CorpusOrigin(
        name=source.name,
        revision=source.revision,
        sha256=source.sha256,
        n_bytes=source.n_bytes,
        n_tokens=corpus.n_tokens,
        n_lines=corpus.n_lines,
    )
