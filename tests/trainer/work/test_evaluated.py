"""An evaluation as a job, and behind a publication, which it never loses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import EvaluationSetUnreadable, FileDamaged
from app.core.evaluation.results import EvaluationReport
from app.core.payloads import DerivePayload, EvaluatePayload, SetSource
from app.core.storage import Storage
from app.core.table.reading import Table
from tests.published import random_vectors, write_version
from tests.trainer.work.conftest import context_in
from trainer.steps.progress import Progress
from trainer.work import debiased
from trainer.work.context import Context
from trainer.work.evaluated import EVALUATING, evaluation_of
from trainer.work.kinds import derive, evaluate
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

WORDS = [f"w{i}" for i in range(40)]
PAIRS = b"w1 w2 3\nw3 w4 1\nw5 w6 2\nw7 none 2\n"


@pytest.fixture
def version(storage: Storage, tmp_path: Path) -> dict[str, Any]:
    written = write_version(tmp_path / "version", WORDS, random_vectors(40, 6))
    store_version(storage, "versions/parent", tmp_path / "version", written)
    return {"model": "m", "version": 3, "prefix": "versions/parent", "manifest_sha256": written.sha256}


def asked(storage: Storage, content: bytes = PAIRS, kind: str = "auto", **said: Any) -> dict[str, Any]:
    """A set whose file lies in storage."""
    digest = hashlib.sha256(content).hexdigest()
    storage.put_new(content, f"files/{digest}")
    file = {"name": "pairs", "revision": 1, "key": f"files/{digest}", "sha256": digest, "n_bytes": len(content)}
    return {"asked": {"file": "pairs@1", "type": kind}, "file": file | said}


def test_scores_are_of_the_version_and_progress_names_what_is_asked(
    storage: Storage, tmp_path: Path, version: dict[str, Any]
) -> None:
    seen: list[tuple[str, Progress]] = []
    context = replace(
        context_in(storage, tmp_path / "job"), report=lambda phase: lambda progress: seen.append((phase, progress))
    )
    payload = EvaluatePayload.model_validate({"evaluated": version, "sets": [asked(storage)]})
    result = evaluate.run(payload, context)
    assert (result.model, result.version) == ("m", 3)
    (told,) = result.told["scores"]
    assert (told["file"], told["metric"], told["n"], told["n_covered"]) == ("pairs", "spearman", 4, 3)
    (found,) = result.evaluation["report"]["sets"]
    assert (found["coverage"], found["missing"]) == (0.75, ["none"])
    assert [(phase, progress.step) for phase, progress in seen] == [(EVALUATING, "pairs@1"), (EVALUATING, "geometry")]


def test_bias_is_measured_beside_the_sets(storage: Storage, tmp_path: Path, version: dict[str, Any]) -> None:
    word_sets = {
        "name": "own",
        "sets": {"x": WORDS[:6], "y": WORDS[6:12], "a": WORDS[12:16], "b": WORDS[16:20]},
        "tests": {"T": {"targets": ["x", "y"], "attributes": ["a", "b"]}},
    }
    file = asked(storage, json.dumps(word_sets).encode())["file"]
    sets = [{"word_sets": "own.json", "file": file}, asked(storage), {"word_sets": "weat-ko"}]
    payload = EvaluatePayload.model_validate({"evaluated": version, "sets": sets})
    result = evaluate.run(payload, context_in(storage, tmp_path / "job"))
    report = EvaluationReport.model_validate(result.evaluation["report"])
    assert ([each.file.name for each in report.sets], [each.name for each in report.bias]) == (
        ["pairs"],
        ["own", "weat-ko"],
    )
    (test,) = report.bias[0].tests
    assert (test.test, test.n_partitions, report.bias[0].file and report.bias[0].file.name) == ("T", 924, "pairs")
    assert (report.bias[1].tests, len(report.bias[1].skipped), report.bias[1].file) == ([], 6, None)
    told = {"test": "T", "effect_size": test.effect_size, "p_value": test.p_value, "p_adjusted": test.p_value}
    assert result.told["bias"] == [told | {"word_sets": "own"}]


def test_what_cannot_be_read_fails_the_evaluation(storage: Storage, tmp_path: Path, version: dict[str, Any]) -> None:
    for name, wrong, error in (
        ("damaged", asked(storage, sha256="0" * 64), FileDamaged),
        ("unreadable", asked(storage, PAIRS + b"w1 w2\n", "similarity"), EvaluationSetUnreadable),
    ):
        payload = EvaluatePayload.model_validate({"evaluated": version, "sets": [asked(storage), wrong]})
        with pytest.raises(error):
            evaluate.run(payload, context_in(storage, tmp_path / name))


def test_a_publication_is_kept_though_its_evaluation_fails(
    storage: Storage, tmp_path: Path, version: dict[str, Any]
) -> None:
    steps = [{"step": "center", "weights": "uniform"}]

    def run(name: str, evaluated: dict[str, Any]) -> Publishes:
        said = {"parent": version, "steps": steps, "versions": {}, "files": {}, "evaluate": [evaluated]}
        return derive.run(DerivePayload.model_validate(said), context_in(storage, tmp_path / name))

    kept = run("good", asked(storage))
    assert kept.evaluation is not None
    assert kept.told["scores"][0]["n_covered"] == 3
    lost = run("bad", asked(storage, sha256="0" * 64))
    assert lost.evaluation is None
    assert lost.told["evaluation_failed"]["type"] == "/problems/file-damaged"
    assert lost.manifest["files"] == kept.manifest["files"]


def test_a_derived_version_shows_what_its_parent_had(storage: Storage, tmp_path: Path, version: dict[str, Any]) -> None:
    """Scores of other questions, or asked in another way, do not stand beside each other."""
    sets = [asked(storage), asked(storage, b"w1 w2 9\nw8 w9 1\nw3 w5 4\n")]
    of_parent = evaluate.run(
        EvaluatePayload.model_validate({"evaluated": version, "sets": sets}), context_in(storage, tmp_path / "parent")
    ).evaluation["report"]["sets"]
    steps = [{"step": "center", "weights": "uniform"}]
    said = {"parent": version, "steps": steps, "versions": {}, "files": {}, "evaluate": sets}
    payload = DerivePayload.model_validate(said | {"before": [of_parent[0], of_parent[1] | {"k": 3}]})
    result = derive.run(payload, context_in(storage, tmp_path / "child"))
    assert result.evaluation is not None
    first, second = result.evaluation["report"]["sets"]
    value = of_parent[0]["scores"]["spearman"]["value"]
    assert (first["before"], second["before"]) == ({"value": value, "n_covered": 3}, None)
    assert [each.get("before") for each in result.told["scores"]] == [first["before"], None]
    assert first["scores"]["spearman"]["value"] != value
    assert result.told["overlap_with_parent"]["n_words"] == 40


def test_a_parent_is_asked_only_what_it_has_not_answered(
    storage: Storage, tmp_path: Path, version: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = [asked(storage), asked(storage, b"w1 w2 9\nw8 w9 1\nw3 w5 4\n")]
    of_parent = evaluate.run(
        EvaluatePayload.model_validate({"evaluated": version, "sets": sets}), context_in(storage, tmp_path / "parent")
    ).evaluation["report"]["sets"]
    again: list[list[str]] = []

    def noting(context: Context, table: Table, sources: Sequence[SetSource]) -> dict[str, Any]:
        again.append([source.file.sha256 for source in sources])
        return evaluation_of(context, table, sources)

    monkeypatch.setattr(debiased, "evaluation_of", noting)
    steps = [{"step": "hard", "pairs": [["w1", "w2"]]}]
    said = {"parent": version, "steps": steps, "versions": {}, "files": {}, "evaluate": sets}
    for name, known, scored in (("one", of_parent[:1], [[sets[1]["file"]["sha256"]]]), ("both", of_parent, [])):
        result = derive.run(
            DerivePayload.model_validate(said | {"before": known}), context_in(storage, tmp_path / name)
        )
        scores = result.told["debiasing"]["cost"]["scores"]
        before = [round(each["scores"]["spearman"]["value"], 4) for each in of_parent]
        assert ([each["before"] for each in scores], again) == (before, scored)
        assert [each["after"] for each in scores] == [round(each["value"], 4) for each in result.told["scores"]]
        again.clear()
