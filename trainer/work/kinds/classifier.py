"""The training of a classifier as prose: a version and labelled texts -> weights and a report -> storage."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

from threadpoolctl import threadpool_limits

from app.core.classifier.artefact import CLASSIFIER_FILE, ClassifierManifest, write_arrays, write_manifest
from app.core.classifier.features import n_features
from app.core.payloads import ClassifierPayload
from app.core.table.manifest import MANIFEST_FILE
from trainer.classifying.costs import expected_seconds
from trainer.classifying.labelled import read_texts
from trainer.classifying.train import Wanted, train
from trainer.publishing.publish import code_version
from trainer.work.context import Context
from trainer.work.forecast import Step
from trainer.work.messages import Publishes
from trainer.work.stored import open_version, verified_file

TOLD = ("n_training", "n_held_out", "n_abstained", "scores", "baselines", "beats_baseline", "difference", "interval")
"""Of the report, what the job's result says too."""


def run(payload: ClassifierPayload, context: Context) -> Publishes:
    """Train, and write the classifier's files to storage, the manifest last."""
    started = time.monotonic()
    table = open_version(context, payload.base)
    texts = read_texts(verified_file(context, payload.file), payload.fields, payload.min_texts)
    width = n_features(payload.features, table.manifest.dim)
    seconds = expected_seconds(len(texts.texts), sum(map(len, texts.texts)), width, len(texts.labels))
    context.expect({Step(phase): each for phase, each in seconds.items()})
    wanted = Wanted(payload.features, payload.held_out, payload.seed, payload.c)
    with threadpool_limits(1):  # its products are small, and one thread gives the same bits every time
        trained = train(table, texts, wanted, context.report)
    folder = context.scratch / "classifier"
    folder.mkdir()
    files, arrays = write_arrays(folder, trained.arrays)
    manifest = ClassifierManifest(
        classifier=context.model or "",
        base=payload.base.origin(),
        file=payload.file.origin(),
        fields=payload.fields,
        features=payload.features,
        labels=texts.labels,
        c=trained.c,
        seed=payload.seed,
        report=trained.report,
        files=files,
        arrays=arrays,
        code_version=code_version(),
        created_at=datetime.now(UTC),
        trained=_trained(context, time.monotonic() - started),
    )
    content = write_manifest(folder, manifest)
    context.storage.put_file(folder / CLASSIFIER_FILE, f"{context.prefix}/{CLASSIFIER_FILE}")
    if not context.storage.put_new(content, f"{context.prefix}/{MANIFEST_FILE}"):
        raise RuntimeError(f"{context.prefix} has a manifest already")
    told = trained.report.model_dump(mode="json", include=set(TOLD)) | {"c": trained.c}
    base = (payload.base.model, payload.base.version)
    return Publishes(hashlib.sha256(content).hexdigest(), json.loads(content), told, base=base)


def _trained(context: Context, seconds: float) -> dict[str, Any]:
    return {"job": context.job_id, "attempt": context.attempt, "seconds": round(seconds, 3)}
