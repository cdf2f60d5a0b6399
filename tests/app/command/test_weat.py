"""Associations from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.command.cli import whole
from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(40)]
OWN = [
    *("--targets", "w0,w1,w2,w3,w4,w5", "--targets", "w6, w7, w8, w9, w10, w11, gone"),
    *("--attributes", "w20,w21", "--attributes", "w22,w23"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    world = World(tmp_path_factory.mktemp("world"))
    world.publish("m", WORDS, random_vectors(40, 6))
    with world.served() as client:
        yield str(client.base_url)
    world.close()


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(whole(), ["weat", *words, "--url", url])


def test_the_suite_is_submitted_with_word_sets_from_here(url: str, tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text('{"name": "own", "sets": {"x": ["w1"]}, "directions": {"d": {"pairs": [["w2", "w3"]]}}}')
    done = CliRunner().invoke(
        whole(), ["evaluate", "m", str(path), "weat", "--suite", "bias", "--detach", "--json", "--url", url]
    )
    assert done.exit_code == 0, done.output
    assert httpx.delete(f"{url}/files/words").json()["job"] == json.loads(done.stdout)["id"]


def test_an_association_is_told_with_its_words(url: str) -> None:
    told = json.loads(run(url, *OWN, "--json").stdout)
    shown = run(url, *OWN)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == "m version 1"
    assert lines[1].startswith(f"effect size: {told['effect_size']:.4f} (n-1), 95 % interval ")
    assert lines[2] == f"p (greater): {told['p_value']:.5g}, {told['n_as_extreme']} of 924 divisions"
    assert [line.split()[0] for line in lines[4:]] == [each["word"] for each in told["words"]]
    assert shown.stderr == "missing: gone\n"


def test_options_are_those_of_the_request(url: str) -> None:
    told = json.loads(run(url, *OWN, "--two-sided", "--seed", "3", "--model", "m", "--version", "1", "--json").stdout)
    assert (told["alternative"], told["seed"], told["missing"]) == ("two-sided", 3, ["gone"])
    refused = run(url, "WEAT7", "--json")
    assert refused.exit_code == 1
    assert "math: 8 of 8 words have no vector" in str(refused.exception)
    assert "have no vector" in str(run(url, *OWN, "--max-missing", "0").exception)
    assert "','" in str(run(url, *OWN[:-1], ",").exception)
