"""A training reads the very text that was uploaded, or none."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import CorpusDamaged, CorpusMissing
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.table.arrays import EVIDENCE
from app.core.table.manifest import IndexRequest, TrainedOrigin, parse_manifest
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from app.models.schemas import VersionDescription
from tests.trainer.work.conftest import context_in, opened, version_row
from trainer.corpus.encode import EncodedCorpus
from trainer.steps import checkpoint
from trainer.steps.progress import Progress, ignore
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.context import Context
from trainer.work.forecast import Forecast, Step
from trainer.work.kinds import train
from trainer.work.messages import Publishes

TEXT = b"the king and the queen saw the man and the woman\n" * 200


def run(
    storage: Storage,
    folder: Path,
    index: IndexRequest = "auto",
    *,
    evidence: bool = False,
    swap_pairs: tuple[tuple[str, str], ...] = (),
    epochs: int = 1,
    context: Context | None = None,
) -> Publishes:
    hyperparameters = Word2VecHyperparameters(dim=16, epochs=epochs, min_count=1, threads=1, subsampling_threshold=0)
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key="corpora/c", sha256=hashlib.sha256(TEXT).hexdigest(), n_bytes=len(TEXT)),
        algorithm="word2vec",
        hyperparameters=hyperparameters.model_dump(mode="json"),
        text=TextSpec(),
        index=index,
        evidence=evidence,
        swap_pairs=swap_pairs,
    )
    return train.run(payload, context or context_in(storage, folder, threads=1))


def test_a_version_says_what_it_is_made_of_and_for(storage: Storage, tmp_path: Path) -> None:
    storage.put_new(TEXT, "corpora/c")
    manifest = parse_manifest(run(storage, tmp_path / "scratch").manifest)
    assert (manifest.model, manifest.n_words, manifest.origin.kind) == ("m", 7, "trained")
    assert isinstance(manifest.origin, TrainedOrigin)
    assert manifest.origin.corpus.sha256 == hashlib.sha256(TEXT).hexdigest()


def test_a_version_describes_its_epochs(storage: Storage, tmp_path: Path) -> None:
    storage.put_new(TEXT, "corpora/c")
    result = run(storage, tmp_path / "scratch")
    row = version_row(result)
    history = VersionDescription.of(row).history
    assert history is not None
    assert [epoch.model_dump() for epoch in history] == result.manifest["origin"]["training"]["history"]
    assert [epoch.epoch for epoch in history] == [1]
    del result.manifest["origin"]["training"]["history"]  # published before it was recorded
    assert VersionDescription.of(row).history is None


def test_what_is_ahead_of_many_items_is_publishing(monkeypatch: pytest.MonkeyPatch) -> None:
    """192,000 ids in 1.2 million tokens: the progress after their training is the share of its time."""
    monkeypatch.setattr(train, "product_seconds", lambda *_: 1e-11)
    chosen = Word2VecHyperparameters(dim=64, epochs=5, min_count=1, threads=2)
    source = CorpusSource(name="c", key="corpora/c", sha256="0", n_bytes=9_600_000)
    said = chosen.model_dump(mode="json")
    payload = TrainPayload(corpus=source, algorithm="word2vec", hyperparameters=said, text=TextSpec())
    n_words, n_tokens = 192_000, 1_200_000
    vocabulary = Vocabulary(np.zeros(0, np.uint8), np.zeros(n_words + 1, np.int64), np.ones(n_words, np.int64))
    corpus = EncodedCorpus(np.zeros(0, np.int32), vocabulary, n_tokens, n_tokens, 1)
    ahead = train._ahead(payload, chosen, 2, None)(corpus)
    assert list(ahead) == [Step("training"), Step("publishing", "neighbor table"), Step("publishing", "files")]
    training, table, files = ahead.values()
    covered = 122_880  # 1.5e12 products of 192,000 x 64, in whole blocks
    products = covered * (n_words - covered / 2) * (0.6 * 64 + 20) + covered * 400_000
    assert table == pytest.approx(products * 1e-11)
    assert training < 0.3 * table
    seconds = [0.0]
    forecast = Forecast(lambda: seconds[0])
    forecast.expect(ahead)
    forecast.advance(Step("training"), 0.0)
    seconds[0] = training
    forecast.advance(Step("publishing", "neighbor table"), 0.0)
    assert forecast.eta_seconds == pytest.approx(table + files)
    assert forecast.progress == pytest.approx(training / (training + table + files))


def test_lines_with_words_swapped_are_trained_on_and_told(storage: Storage, tmp_path: Path) -> None:
    storage.put_new(TEXT, "corpora/c")
    pairs = (("king", "queen"), ("aunt", "uncle"))
    results = [run(storage, tmp_path / name, swap_pairs=pairs) for name in ("a", "b")]
    assert results[0].manifest["files"] == results[1].manifest["files"]
    table = opened(storage, tmp_path / "a", results[0])
    counts = dict(zip(table.vocabulary.words(), table.vocabulary.counts.tolist(), strict=True))
    assert counts == {"the": 1600, "and": 800, "king": 400, "man": 400, "queen": 400, "saw": 400, "woman": 400}
    origin = table.manifest.origin
    assert isinstance(origin, TrainedOrigin)
    assert (origin.corpus.n_tokens, origin.corpus.n_lines) == (2200, 200), "the text as it is"
    told = {"pairs": [list(pair) for pair in pairs], "n_lines_again": 200, "n_swapped": 400, "n_words": 2}
    expected = told | {"n_tokens": 4400, "missing": ["aunt uncle"]}
    assert origin.training["swapped"] == results[0].told["swapped"] == expected
    assert "swapped" not in run(storage, tmp_path / "c").told


def test_a_training_with_words_swapped_goes_on_after_a_kill(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same bytes as one that nobody killed."""
    monkeypatch.setattr(checkpoint, "COST_LIMIT", float("inf"))  # it is saved whenever it may be
    storage.put_new(TEXT, "corpora/c")
    told: list[float] = []

    def attempt(name: str, killed_at: float) -> Publishes:
        told.clear()

        def tell(progress: Progress) -> None:
            told.append(progress.fraction)
            if progress.fraction >= killed_at:
                raise RuntimeError("killed")

        context = context_in(storage, tmp_path / name, threads=1)
        checkpoints = StorageCheckpoints(storage, "checkpoints/job/latest", context.scratch, 0.0)
        context = replace(
            context, checkpoints=checkpoints, report=lambda phase: tell if phase == train.TRAINING else ignore
        )
        return run(storage, context.scratch, epochs=4, swap_pairs=(("king", "queen"),), context=context)

    with pytest.raises(RuntimeError, match="killed"):
        attempt("first", 0.6)
    resumed = attempt("second", 2.0)
    assert told[0] == 0
    assert min(told[1:]) >= 0.5
    whole = run(storage, tmp_path / "whole", epochs=4, swap_pairs=(("king", "queen"),))
    assert resumed.manifest["files"] == whole.manifest["files"]


def test_evidence_is_stored_if_it_is_asked_for(storage: Storage, tmp_path: Path) -> None:
    storage.put_new(TEXT, "corpora/c")
    table = opened(storage, tmp_path / "with", run(storage, tmp_path / "with", evidence=True))
    assert table.evidence is not None
    assert table.evidence.described.window == Word2VecHyperparameters().window
    assert table.evidence.described.n_bytes == sum(table.arrays[name].nbytes for name in EVIDENCE)
    king, saw = (table.lookup.find(word) for word in ("king", "saw"))
    assert king is not None
    assert saw is not None
    assert table.evidence.cooccurrence(king, saw).count == 200
    without = opened(storage, tmp_path / "without", run(storage, tmp_path / "without"))
    assert (without.evidence, without.arrays.keys() & set(EVIDENCE)) == (None, set())


@pytest.mark.parametrize(("index", "kind"), [("auto", "flat"), ("exact", "flat"), ("graph", "hnsw")])
def test_the_index_is_the_one_that_the_job_asks_for(
    storage: Storage, tmp_path: Path, index: IndexRequest, kind: str
) -> None:
    storage.put_new(TEXT, "corpora/c")
    manifest = parse_manifest(run(storage, tmp_path / "scratch", index).manifest)
    assert (manifest.index.requested, manifest.index.kind) == (index, kind)


@pytest.mark.parametrize("stored", [TEXT[:-10], TEXT.replace(b"king", b"kong"), TEXT + b"more\n"])
def test_a_text_that_was_changed_or_cut_is_not_trained_on(storage: Storage, tmp_path: Path, stored: bytes) -> None:
    storage.put_new(stored, "corpora/c")
    with pytest.raises(CorpusDamaged, match="'c' is not what was uploaded"):
        run(storage, tmp_path / "scratch")
    assert storage.keys("versions") == []


def test_a_text_that_is_gone_is_named(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(CorpusMissing, match="'c' is not in storage; upload it again"):
        run(storage, tmp_path / "scratch")
