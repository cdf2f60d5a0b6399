"""``wordkin evaluate``, ``compare`` and ``policy`` write what the service reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from app.command.evaluate import say_result
from app.command.jobs import submit
from tests.app.command.conftest import Wordkin


def test_sets_here_are_uploaded_and_others_named(ask: Wordkin, service: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("king queen 3\nsea gold 1\nsea king 2\n")
    assert ask("files", "upload", "pairs.txt", cwd=tmp_path).returncode == 0
    name = service.get("/files").json()["files"][0]["name"]
    done = ask("evaluate", "first@1", "pairs.txt", name, "--type", "similarity", "--detach", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    job = service.get("/jobs").json()["jobs"][0]
    assert (job["kind"], job["model"]) == ("evaluate", "first")
    assert service.delete(f"/files/{name}").json()["job"] == job["id"]
    wrong = ask("evaluate", "first", "pairs.txt", "--type", "pairs", cwd=tmp_path)
    assert (wrong.returncode, "'similarity'" in wrong.stderr) == (1, True), wrong.stderr


def test_what_a_job_of_any_kind_is_expected_to_take_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "j", "estimate": {"seconds": 61.2, "memory_bytes": 5 << 20, "disk_bytes": None}}
    client = Mock(submit=Mock(return_value=job), follow=Mock(return_value={"state": "succeeded"}))
    told: list[Any] = []
    submit(client, {"kind": "evaluate"}, detach=False, as_json=False, told=told.append)
    assert "expected: 61 s, 5.24 MB of memory" in capsys.readouterr().err
    assert told == [{"state": "succeeded"}]


def test_it_is_told_how_words_were_found_that_the_vocabulary_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"n": 6, "exact": 2, "normalised": 1, "tokenised": 1, "composed": 2}
    score = {"file": "q", "type": "words", "metric": "share", "value": 0.6, "n": 6, "n_covered": 4, "oov": "reject"}
    say_result({"scores": [score | {"found": found}]})
    told = "q: of 6 words 3 are in the vocabulary, 1 as the tokenizer reads them, 2 can be composed"
    assert f"{told}, which --compose asks for too." in capsys.readouterr().err
    say_result({"scores": [score | {"found": found, "oov": "compose"}]})
    assert f"{told}." in capsys.readouterr().err
    say_result({"scores": [score | {"found": found | {"tokenised": 0, "composed": 0}}]})
    assert capsys.readouterr().err == ""


def test_bias_is_told_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    test = {"test": "WEAT7", "effect_size": -0.5, "p_value": 0.025, "p_adjusted": 0.05, "word_sets": "weat"}
    say_result({"scores": [], "bias": [test]})
    told = capsys.readouterr().out.splitlines()
    assert [line.split() for line in told] == [
        ["test", "effect", "size", "p", "p", "(Holm)"],
        ["WEAT7", "-0.5000", "0.025", "0.05"],
    ]
    say_result({"scores": [], "bias": [test | {"seeds": {"least": -0.75, "greatest": 0.25}}, test]})
    told = capsys.readouterr().out.splitlines()
    assert told[0].rstrip().endswith("over seeds")
    assert told[1].split()[-3:] == ["-0.7500", "to", "+0.2500"]
    say_result({"scores": [], "bias": []})
    assert "too few words of every test" in capsys.readouterr().err


def test_versions_without_a_common_set_say_what_to_do(ask: Wordkin) -> None:
    done = ask("compare", "first", "1", "latest")
    assert done.returncode == 0, done.stderr
    assert "wordkin evaluate MODEL@VERSION FILE" in done.stderr
    assert json.loads(ask("compare", "first", "1", "--json").stdout)["sets"] == []


def test_a_policy_is_set_shown_and_removed(ask: Wordkin, service: httpx.Client, tmp_path: Path) -> None:
    service.put("/files/must", content=b"king\nqueen\nsea\n")
    (tmp_path / "policy.json").write_text('{"sets": [{"file": "must", "floor": 1.0}]}')
    done = ask("policy", "first", "policy.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(ask("policy", "first").stdout)
    assert (shown["sets"][0]["file"], shown["sets"][0]["floor"]) == ("must@1", 1.0)
    refused = ask("models", "alias", "first", "staging", "1")
    assert (refused.returncode, "has not been evaluated with must@1" in refused.stderr) == (1, True), refused.stderr
    assert ask("models", "alias", "first", "staging", "1", "--override", "a trial").returncode == 0
    assert ask("policy", "first", "--remove").stdout == "first has no policy.\n"
    (tmp_path / "policy.json").write_text("{")
    wrong = ask("policy", "first", "policy.json", cwd=tmp_path)
    assert (wrong.returncode, "policy.json is no JSON" in wrong.stderr) == (2, True)
