"""A version trained anew is turned onto the one before; its answers stay what they were."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload, VersionSource
from app.core.storage import Storage
from app.core.table.reading import Table
from app.core.text import TextSpec
from tests.published import random_vectors, write_version
from tests.trainer.work.conftest import context_in, opened
from trainer.work.kinds import train
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

WORDS = [f"w{i}" for i in range(60)]


def text() -> bytes:
    """Words of one topic stand together."""
    rng = np.random.default_rng(0)
    lines = [" ".join(WORDS[topic * 10 + i] for i in rng.integers(10, size=12)) for topic in rng.integers(6, size=3000)]
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def corpus() -> bytes:
    return text()


def run(
    storage: Storage, folder: Path, corpus: bytes, seed: int, align: dict[str, Any] | None = None
) -> tuple[Publishes, Table]:
    storage.put_new(corpus, "corpora/c")
    chosen = Word2VecHyperparameters(dim=8, epochs=4, min_count=1, threads=1, seed=seed, subsampling_threshold=0)
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key="corpora/c", sha256=hashlib.sha256(corpus).hexdigest(), n_bytes=len(corpus)),
        algorithm="word2vec",
        hyperparameters=chosen.model_dump(mode="json"),
        text=TextSpec(),
        align=VersionSource.model_validate(align) if align else None,
    )
    result = train.run(payload, context_in(storage, folder, threads=1))
    return result, opened(storage, folder, result)


def of(folder: str, result: Publishes) -> dict[str, Any]:
    """A stored version, as a payload names it."""
    return {
        "model": "m",
        "version": 1,
        "prefix": f"versions/job-{folder}",
        "manifest_sha256": result.manifest_sha256,
    }


def mean_cosine(a: Table, b: Table) -> float:
    """Of the same words in both."""
    ids = b.vocabulary.ids()
    rows = [ids[word] for word in a.vocabulary.words()]
    return float((a.unit_vectors[:] * b.unit_vectors[rows]).sum(axis=1).mean())


def test_stored_vectors_stay_comparable_and_no_answer_changes(storage: Storage, tmp_path: Path, corpus: bytes) -> None:
    first, before = run(storage, tmp_path / "first", corpus, 1)
    _, alone = run(storage, tmp_path / "alone", corpus, 2)
    result, turned = run(storage, tmp_path / "turned", corpus, 2, of("first", first))
    assert mean_cosine(before, turned) > 0.9
    assert mean_cosine(before, alone) < 0.5
    aligned = result.told["aligned"]
    assert (aligned["to"]["model"], aligned["to"]["version"], aligned["n_shared"]) == ("m", 1, 60)
    assert aligned["mean_cosine"] == pytest.approx(mean_cosine(before, turned), abs=1e-5)
    assert result.manifest["origin"]["training"]["aligned"] == aligned
    np.testing.assert_allclose(turned.neighbors.scores, alone.neighbors.scores, atol=2e-6)
    np.testing.assert_allclose(turned.norms, alone.norms, rtol=1e-6)
    assert first.told == {}


def test_what_cannot_be_aligned_is_left_as_it_is_and_told(storage: Storage, tmp_path: Path, corpus: bytes) -> None:
    _, alone = run(storage, tmp_path / "alone", corpus, 2)
    for name, words, dim, told in (
        ("wide", WORDS, 9, "that version has 9 dimensions"),
        ("strange", ["x", *WORDS[:5]], 8, "only 5 words are shared, fewer than dimensions"),
        ("damaged", WORDS, 8, "does not have the digest"),
    ):
        written = write_version(tmp_path / f"v-{name}", words, random_vectors(len(words), dim))
        stored = store_version(storage, f"versions/job-{name}", tmp_path / f"v-{name}", written)
        said = of(name, stored) | ({"manifest_sha256": "0" * 64} if name == "damaged" else {})
        result, table = run(storage, tmp_path / f"of-{name}", corpus, 2, said)
        assert told in result.told["aligned"]["left_out"]
        np.testing.assert_array_equal(table.unit_vectors[:], alone.unit_vectors[:])
