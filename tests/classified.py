"""A classifier of a small made-up version, trained and published without a trainer's process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.core import catalog, jobs, names
from app.core.catalog import Made
from app.core.catalog.sources import version_source
from app.core.jobs import JobRequest
from app.core.payloads import ClassifierPayload, FileSource
from app.core.text.labelled import LabelledFields
from tests.published import FloatArray, World
from trainer.steps.progress import ignore
from trainer.work.context import Context
from trainer.work.kinds import classifier
from trainer.work.messages import Publishes

WORDS = [f"{side}{i}" for i in range(20) for side in ("good", "bad")]


def sided(dim: int = 6, seed: int = 0) -> FloatArray:
    """Words of the two sides lie on two sides; float32 (40, dim)."""
    vectors = np.random.default_rng(seed).standard_normal((len(WORDS), dim))
    vectors[::2, 0] += 4
    vectors[1::2, 0] -= 4
    return vectors.astype(np.float32)


def labelled(n: int, seed: int = 1) -> list[dict[str, Any]]:
    """Rows whose label is the side that most of their five words are of."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        words = [WORDS[j] for j in rng.integers(0, len(WORDS), 5)]
        is_good = sum(word.startswith("good") for word in words) >= 3
        rows.append({"text": " ".join(words), "label": "pos" if is_good else "neg", "from": "ab"[i % 2]})
    return rows


def as_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def submission(**said: Any) -> dict[str, Any]:
    return {"kind": "classifier", "name": "side", "model": "m", "file": "rows", "group_field": "from", **said}


def context_of(world: World, prefix: str, scratch: Path, model: str = "side") -> Context:
    scratch.mkdir(parents=True)
    return Context("job", 1, model, world.storage, prefix, scratch, 1, lambda _: ignore, lambda _: None, None)


def train_next(world: World) -> dict[str, Any]:
    """Do the job that waits, as a trainer does; its result."""
    claim = jobs.claim(world.database, "tests", lease_seconds=60, max_attempts=1)
    assert claim is not None
    prefix = names.attempt_prefix(claim.job_id, claim.token)
    context = context_of(world, prefix, world.folder / "scratch" / claim.job_id, str(claim.model))
    result: Publishes = classifier.run(ClassifierPayload.model_validate(claim.payload), context)
    with world.database.transaction() as session:
        made = Made(result.manifest_sha256, result.manifest, base=result.base)
        published = catalog.publish(session, claim, prefix, made)
        jobs.succeed(session, claim, {"version": published.version.number, **result.told})
    return {"version": published.version.number, **result.told}


def train_directly(world: World, n_texts: int = 100) -> dict[str, Any]:
    """Make version 1 of `side` on `m@1`, where no service takes submissions."""
    content, key = as_lines(labelled(n_texts)), names.new_file_key()
    world.storage.put_new(content, key)
    digest = hashlib.sha256(content).hexdigest()
    with world.database.transaction() as session:
        payload = ClassifierPayload(
            base=version_source(catalog.get_version(session, "m", 1)),
            file=FileSource(name="rows", revision=1, key=key, sha256=digest, n_bytes=len(content)),
            fields=LabelledFields(),
        )
        jobs.submit(session, JobRequest("classifier", "side", payload.model_dump(mode="json")))
    return train_next(world)


def trained(http: httpx.Client, world: World, **said: Any) -> dict[str, Any]:
    """Submit a job and do it."""
    answer = http.post("/jobs", json=submission(**said))
    assert answer.status_code == 202, answer.text
    return train_next(world)
