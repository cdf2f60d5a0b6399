"""``wordkin classifiers`` and ``wordkin classify``."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.app.command.conftest import Wordkin
from tests.classified import WORDS, as_lines, labelled, sided, train_next, trained
from tests.published import World


def test_a_classifier_is_trained_asked_and_rolled_back(
    ask: Wordkin, service: httpx.Client, world: World, tmp_path: Path
) -> None:
    world.publish("m", WORDS, sided())
    (tmp_path / "rows").write_bytes(as_lines(labelled(200)))
    done = ask("classifiers", "train", "side", "rows", "--model", "m@1", "--features", "sif", "--detach", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    job = service.get("/jobs").json()["jobs"][0]
    assert (job["kind"], job["model"], job["classifier"], job["file"]) == ("classifier", "m", "side", "rows")
    train_next(world)
    trained(service, world)

    done = ask("classify", "side", "good1 good2", "nothing", "--explain")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:1] for line in done.stdout.splitlines()] == [["text"], ["good1"], ["nothing"]]
    assert ("pos" in done.stdout, "good2 +" in done.stdout) == (True, True)
    shown = ask("classifiers", "show", "side").stdout.splitlines()
    assert [line.split()[:3] for line in shown[2:]] == [["2", "m@1", "mean"], ["1", "m@1", "sif"]]
    assert ask("classifiers", "rollback", "side").stdout == "side@latest is version 1 now.\n"
    (only,) = service.get("/classifiers").json()["classifiers"]
    assert (only["aliases"], only["n_versions"]) == ({"latest": 1}, 2)
