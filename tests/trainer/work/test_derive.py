"""A derivation: a version of versions, with its steps, what they found, and how much its neighbours changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import FileDamaged, TableDamaged
from app.core.evaluation.results import EvaluationReport
from app.core.payloads import DerivePayload
from app.core.storage import Storage
from app.core.table.manifest import DerivedOrigin
from app.core.table.quantised import Quantised
from app.models.schemas import VersionDescription
from tests.published import random_vectors, write_version
from tests.trainer.work.conftest import context_in, opened, version_row
from trainer.work.kinds import derive
from trainer.work.messages import Publishes
from trainer.work.stored import store_version

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture
def parent(storage: Storage, tmp_path: Path) -> dict[str, Any]:
    """A stored version, as a payload names it."""
    written = write_version(tmp_path / "parent", WORDS, random_vectors(40, 6) + np.float32(1))
    store_version(storage, "versions/parent", tmp_path / "parent", written)
    return {"model": "m", "version": 3, "prefix": "versions/parent", "manifest_sha256": written.sha256}


def run(storage: Storage, folder: Path, parent: dict[str, Any], steps: list[dict[str, Any]], **said: Any) -> Publishes:
    payload = DerivePayload.model_validate({"parent": parent, "steps": steps, "versions": {}, "files": {}} | said)
    return derive.run(payload, context_in(storage, folder, model="into"))


def test_a_version_says_what_it_is_derived_from(storage: Storage, tmp_path: Path, parent: dict[str, Any]) -> None:
    steps: list[dict[str, Any]] = [{"step": "center", "weights": "uniform"}, {"step": "prune", "max_words": 30}]
    result = run(storage, tmp_path / "child", parent, steps)
    table = opened(storage, tmp_path / "child", result)
    assert table.vocabulary.words() == WORDS[:30]
    origin = table.manifest.origin
    assert isinstance(origin, DerivedOrigin)
    assert (origin.parents[0].model, origin.parents[0].version) == ("m", 3)
    assert origin.parents[0].manifest_sha256 == parent["manifest_sha256"]
    assert [done.step["step"] for done in origin.steps] == ["center", "prune"]
    assert origin.steps[1].found == {"n_words_before": 40, "n_words": 30}
    assert (origin.frequencies, table.manifest.counts_known, table.manifest.model) == ("counted", True, "into")
    overlap = table.manifest.metrics["overlap_with_parent"]
    assert (overlap["k"], overlap["n_words"]) == (10, 30)
    assert 0 < overlap["mean"] < 1


def test_versions_and_files_that_steps_name_are_read_and_verified(
    storage: Storage, tmp_path: Path, parent: dict[str, Any]
) -> None:
    lexicon = b"w0 w1\nw1 w0\n"
    storage.put_new(lexicon, "files/l")
    digest = hashlib.sha256(lexicon).hexdigest()
    file = {"name": "l", "revision": 1, "key": "files/l", "sha256": digest, "n_bytes": len(lexicon)}
    combine = {"step": "combine", "with": ["m@3"], "dim": 4}
    steps: list[dict[str, Any]] = [{"step": "retrofit", "lexicon": "l@1"}, combine]
    said = {"versions": {"m@3": parent}, "files": {"l@1": file}}
    result = run(storage, tmp_path / "child", parent, steps, **said)
    table = opened(storage, tmp_path / "child", result)
    assert table.unit_vectors.shape == (40, 4)
    origin = table.manifest.origin
    assert isinstance(origin, DerivedOrigin)
    assert (len(origin.parents), origin.files[0].sha256, origin.steps[1].step["with"]) == (2, digest, ["m@3"])
    described = VersionDescription.of(version_row(result))
    assert described.step_files == origin.files
    assert described.files == table.manifest.files
    assert (described.parents, described.steps) == (origin.parents, origin.steps)
    with pytest.raises(FileDamaged):
        run(storage, tmp_path / "again", parent, steps, **said | {"files": {"l@1": file | {"sha256": "0" * 64}}})
    with pytest.raises(TableDamaged):
        run(storage, tmp_path / "wrong", parent | {"manifest_sha256": "0" * 64}, steps[:1], **said)


def test_a_quantised_version_is_smaller_and_says_what_it_still_finds(
    storage: Storage, tmp_path: Path, parent: dict[str, Any]
) -> None:
    sizes = {}
    for name, step in (("whole", {"step": "center"}), ("int8", {"step": "quantise"})):
        result = run(storage, tmp_path / name, parent, [step])
        sizes[name] = result.manifest["files"]["table.safetensors"]["n_bytes"]
    table = opened(storage, tmp_path / "int8", result)
    assert sizes["whole"] - sizes["int8"] > 2.5 * 40 * 6
    assert isinstance(table.unit_vectors, Quantised)
    origin = table.manifest.origin
    assert isinstance(origin, DerivedOrigin)
    found = origin.steps[0].found
    assert (found["vector_bytes"], found["vector_bytes_before"], found["n_queries"]) == (240, 960, 40)
    assert 0.95 < found["recall_at_10"] <= 1
    again = parent | {"prefix": "versions/job-int8", "manifest_sha256": result.manifest_sha256}
    pruned = run(storage, tmp_path / "child", again, [{"step": "prune", "max_words": 9}])
    child = opened(storage, tmp_path / "child", pruned)
    np.testing.assert_allclose(child.unit_vectors[:], table.unit_vectors[:9], atol=1e-6)


def test_the_same_steps_give_the_same_bytes(storage: Storage, tmp_path: Path, parent: dict[str, Any]) -> None:
    steps: list[dict[str, Any]] = [{"step": "whiten"}, {"step": "reduce", "dim": 4}, {"step": "align", "to": "m@3"}]
    first, second = (
        run(storage, tmp_path / name, parent, steps, versions={"m@3": parent}).manifest["files"] for name in ("a", "b")
    )
    assert first == second


def test_steps_against_a_bias_leave_a_report_of_what_is_still_found(storage: Storage, tmp_path: Path) -> None:
    """Both sides differ along two axes, and the pairs along one of them alone: the other still shows the bias."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((900, 6))
    words = ["she", "he", "woman", "man", *(f"w{i}" for i in range(896))]
    vectors[0::2, :2] += 1.5
    vectors[1::2, :2] -= 1.5
    vectors[:4, 1:] = vectors[[0, 0, 2, 2], 1:]
    written = write_version(tmp_path / "parent", words, vectors.astype(np.float32))
    store_version(storage, "versions/parent", tmp_path / "parent", written)
    parent = {"model": "m", "version": 1, "prefix": "versions/parent", "manifest_sha256": written.sha256}
    step = {"step": "hard", "pairs": [["she", "he"], ["woman", "man"]]}
    result = run(storage, tmp_path / "child", parent, [step])
    assert result.evaluation is not None
    report = EvaluationReport.model_validate(result.evaluation["report"])
    found = report.debiasing
    assert found is not None
    assert result.told["debiasing"] == report.model_dump(mode="json")["debiasing"]
    assert found.told.startswith("she - he: a linear reader still finds it, with accuracy ")
    (bias,) = found.residue
    assert (bias.n_words, [test.test for test in bias.tests][:2]) == (896, ["clusters", "linear_probe"])
    linear = bias.tests[1]
    assert (linear.before or 0) > 0.95
    assert 0.7 < (linear.after or 0) < 1
    assert (found.associations, found.flipped, found.cost.scores) == ([], [], [])
    assert found.cost.overlap == result.manifest["metrics"]["overlap_with_parent"]
    (cost,) = found.cost.steps
    origin = opened(storage, tmp_path / "child", result).manifest.origin
    assert isinstance(origin, DerivedOrigin)
    assert cost["mean_cosine"] == origin.steps[0].found["mean_cosine"]
