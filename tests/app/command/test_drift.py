"""The drift between two versions, from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from app.command.cli import whole
from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    world = World(tmp_path_factory.mktemp("world"))
    for seed in (0, 1):
        world.publish("m", WORDS, random_vectors(60, 6, seed))
    with world.served() as client:
        yield str(client.base_url)
    world.close()


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(whole(), ["drift", *words, "--url", url], catch_exceptions=False)


def test_the_most_changed_words_are_a_table(url: str) -> None:
    shown = run(url, "m", "1", "2", "-n", "3").stdout.splitlines()
    assert shown[0].startswith("m version 1 to 2: ")
    assert "of 60 words changed more than the floor (estimated)" in shown[0]
    assert shown[1].split() == ["word", "z", "q", "shift", "aligned", "lost", "gained"]
    told = json.loads(run(url, "m", "1", "--json", "-n", "3").stdout)
    assert [line.split()[0] for line in shown[2:]] == [word["word"] for word in told["words"]]
    assert (told["from"], told["to"], len(told["words"])) == (1, 2, 3)


def test_one_word_and_what_is_considered_are_options(url: str) -> None:
    told = json.loads(run(url, "m", "2", "1", "--word", "w50", "--max-words", "40", "--json").stdout)
    assert (told["n_considered"], told["words"][0]["word"], told["words"][0]["q"]) == (40, "w50", None)
    assert json.loads(run(url, "m", "1", "--min-count", "1000", "--json").stdout)["n_considered"] == 10
    assert run(url, "m", "2", "1", "--word", "w50", "--max-words", "40").stdout.splitlines()[2].startswith("w50")
