"""Further trainings with other seeds: what they say of the neighbours, and that none is done twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core import names
from app.core.evaluation.drift.floor import FLOOR_METRIC, Floor
from app.core.hyperparameters import GloVeHyperparameters, Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.text import TextSpec
from tests.trainer.work.conftest import context_in, opened
from tests.trainer.work.test_aligned import text
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Trained, Work
from trainer.steps.progress import Progress
from trainer.work import replicas
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.context import Context
from trainer.work.kinds import train
from trainer.work.messages import Publishes

CHOSEN: dict[str, Any] = {
    "word2vec": Word2VecHyperparameters(dim=8, epochs=2, min_count=1, threads=1, subsampling_threshold=0),
    "glove": GloVeHyperparameters(dim=8, epochs=2, min_count=1, threads=1),
}


def run(context: Context, algorithm: str, n: int) -> Publishes:
    corpus = text()
    context.storage.put_new(corpus, "corpora/c")
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key="corpora/c", sha256=hashlib.sha256(corpus).hexdigest(), n_bytes=len(corpus)),
        algorithm=algorithm,
        hyperparameters=CHOSEN[algorithm].model_dump(mode="json"),
        text=TextSpec(),
        replicas=n,
    )
    return train.run(payload, context)


@pytest.mark.parametrize("algorithm", CHOSEN)
def test_a_version_stores_in_how_many_trainings_each_neighbour_is(
    storage: Storage, tmp_path: Path, algorithm: str
) -> None:
    told: list[tuple[str, Progress]] = []
    context = replace(
        context_in(storage, tmp_path / "job", threads=1),
        report=lambda phase: lambda progress: told.append((phase, progress)),
    )
    result = run(context, algorithm, 3)
    table = opened(storage, tmp_path / "job", result)
    agreed = table.arrays["neighbor_agreement"]
    assert agreed.shape == table.neighbors.ids.shape
    assert (int(agreed.min()), int(agreed.max())) == (1, 3)
    stability = table.manifest.metrics["stability"]
    assert (stability["replicas"], result.told["stability"]) == (3, stability)
    assert stability["overlap_at_10"] == pytest.approx((agreed[:, :10].mean() - 1) / 2, abs=1e-4)
    floor = Floor.model_validate(table.manifest.metrics[FLOOR_METRIC])
    assert (floor.by, sum(each.n_words for each in floor.bins)) == ("count", 60)
    fractions = [progress.fraction for phase, progress in told if phase == replicas.REPLICAS]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_one_training_stores_nothing_of_it(storage: Storage, tmp_path: Path) -> None:
    result = run(context_in(storage, tmp_path / "job", threads=1), "word2vec", 1)
    assert "neighbor_agreement" not in opened(storage, tmp_path / "job", result).arrays
    assert "stability" not in result.manifest["metrics"]


def test_another_attempt_trains_no_replica_again(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def noting(work: Work, chosen: Any) -> Trained:
        seeds.append(chosen.seed)
        if len(seeds) == 3:
            raise RuntimeError("killed")
        return ALGORITHMS["word2vec"](work, chosen)

    def attempt(name: str) -> Publishes:
        context = context_in(storage, tmp_path / name, threads=1)
        key = names.checkpoint_key(context.job_id)
        checkpoints = StorageCheckpoints(storage, key, context.scratch, 3600)
        return run(replace(context, checkpoints=checkpoints), "word2vec", 3)

    monkeypatch.setattr(train, "ALGORITHMS", {"word2vec": noting})
    with pytest.raises(RuntimeError, match="killed"):
        attempt("first")
    result = attempt("second")
    first = CHOSEN["word2vec"].seed
    assert seeds == [first, first + 1, first + 2, first, first + 2]
    whole = run(context_in(storage, tmp_path / "whole", threads=1), "word2vec", 3)
    assert result.manifest["files"] == whole.manifest["files"]
    assert {key.rpartition("/")[2] for key in storage.keys(names.checkpoint_folder("job"))} >= {"replica-1"}
