"""``wordkin derive`` writes the steps as the service reads them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.command import completion
from tests.app.command.conftest import Wordkin


def test_steps_are_written_shortly(ask: Wordkin, service: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("king\nqueen\n")
    assert ask("files", "upload", "words.txt", cwd=tmp_path).stdout == "words@1\n"
    combine = "combine:with=second+first@2,weights=1+2+0.5,dim=7"
    steps = ("center:weights=uniform", "prune:words=words,max_words=3", combine)
    options = [word for step in steps for word in ("--step", step)]
    done = ask("derive", "first@1", *options, "--into", "better", "--alias", "staging", "--detach")
    assert done.returncode == 0, done.stderr
    job = service.get("/jobs").json()["jobs"][0]
    assert (job["kind"], job["model"], job["publish"]) == ("derive", "better", {"alias": "staging"})
    assert service.delete("/files/words").json()["job"] == job["id"]
    assert ask("derive", "first", "--step", "leace:groups=words+words@1", "--detach").returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["first"], 2, "Missing option '--step'"),
        (["first", "--step", "reduce:dim"], 2, "--step reduce:dim: write dim as NAME=VALUE."),
        (["first", "--step", "center:weight=uniform"], 1, "Did you mean 'weights'?"),
        (
            ["first", "--step", "hard:pairs=he/she"],
            1,
            'neither a list of pairs such as [["he", "she"]] nor the name of',
        ),
        (["first", "--step", "reduce:dim=7"], 1, "there are 6 dimensions, not 7"),
        (["thrid", "--step", "center"], 1, "There are: first, second."),
    ],
)
def test_what_is_wrong_is_told(ask: Wordkin, words: list[str], code: int, told: str) -> None:
    done = ask("derive", *words)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr


def test_steps_are_completed() -> None:
    assert completion.steps("re") == ["remove_components", "reduce", "retrofit"]
    assert completion.steps("combine:dim=3,w") == ["combine:dim=3,with=", "combine:dim=3,weights="]
    assert completion.steps("knit:") == []
