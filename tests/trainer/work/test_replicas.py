"""Further trainings with other seeds: what they say of the neighbours, and that none is done twice."""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core import names
from app.core.evaluation.drift.floor import FLOOR_METRIC, Floor
from app.core.hyperparameters import FastTextHyperparameters, GloVeHyperparameters, Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.text import TextSpec
from tests.trainer.work.conftest import context_in, opened
from tests.trainer.work.test_aligned import text
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Trained, Work
from trainer.evaluating.bias import SPREAD_UNKNOWN
from trainer.steps.progress import Progress
from trainer.work import replicas
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.context import Context
from trainer.work.kinds import train
from trainer.work.messages import Publishes

CHOSEN: dict[str, Any] = {
    "word2vec": Word2VecHyperparameters(dim=16, epochs=2, min_count=1, threads=1, subsampling_threshold=0),
    "glove": GloVeHyperparameters(dim=16, epochs=2, min_count=1, threads=1),
    "fasttext": FastTextHyperparameters(dim=16, epochs=2, min_count=1, threads=1, subsampling_threshold=0),
}


def run(context: Context, algorithm: str, n: int, **said: Any) -> Publishes:
    corpus = text()
    context.storage.put_new(corpus, "corpora/c")
    chosen = CHOSEN[algorithm].model_dump(mode="json") | said.pop("hyperparameters", {})
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key="corpora/c", sha256=hashlib.sha256(corpus).hexdigest(), n_bytes=len(corpus)),
        algorithm=algorithm,
        hyperparameters=chosen,
        text=TextSpec(),
        replicas=n,
        **said,
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


def test_tests_of_bias_have_a_spread_over_the_seeds(storage: Storage, tmp_path: Path) -> None:
    """As those trainings find it that have these seeds alone."""
    groups = {name: [f"w{i}" for i in range(start, start + 6)] for name, start in (("x", 0), ("y", 7), ("a", 20))}
    word_sets = {
        "name": "own",
        "sets": groups | {"b": ["w31", "gone"]},
        "tests": {
            "T": {"targets": ["x", "y"], "attributes": ["a", "b"]},
            "few": {"targets": ["b", "y"], "attributes": ["a", "b"]},
        },
    }
    content = json.dumps(word_sets).encode()
    digest = hashlib.sha256(content).hexdigest()
    storage.put_new(content, "files/f")
    file = {"name": "own.json", "revision": 1, "key": "files/f", "sha256": digest, "n_bytes": len(content)}
    source = {"word_sets": "own.json", "file": file, "options": {"max_missing": 0.5}}
    gone = {"word_sets": "gone.json", "file": file | {"key": "files/gone"}}

    def tested(name: str, n: int, *sources: dict[str, Any], **chosen: Any) -> tuple[Publishes, dict[str, Any]]:
        context = context_in(storage, tmp_path / name, threads=1)
        result = run(context, "word2vec", n, evaluate=sources, hyperparameters={"epochs": 1} | chosen)
        return result, result.evaluation["report"]["bias"][0] if result.evaluation else {}

    result, report = tested("replicas", 2, source)
    (test,) = report["tests"]
    seed = CHOSEN["word2vec"].seed
    alone = [tested("alone", 1, source, seed=seed + 1)[1]]
    sizes = [each["tests"][0]["effect_size"] for each in alone]
    assert test["effect_size"] not in sizes
    everywhere = [test["effect_size"], *sizes]
    expected = (2, min(everywhere), max(everywhere), round(statistics.stdev(everywhere), 8))
    assert tuple(test["seeds"].values()) == pytest.approx(expected, abs=2e-8)
    assert result.manifest["metrics"]["bias_of_replicas"][digest] == {"T": pytest.approx(sizes, abs=1e-8)}
    assert result.told["bias"][0]["seeds"] == test["seeds"]
    assert SPREAD_UNKNOWN not in report["caveats"]
    assert (alone[0]["tests"][0]["seeds"], SPREAD_UNKNOWN in alone[0]["caveats"]) == (None, True)
    lost, _ = tested("lost", 2, gone)
    assert lost.told["evaluation_failed"]["type"] == "/problems/file-missing"
    assert "bias_of_replicas" not in lost.manifest["metrics"]


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
