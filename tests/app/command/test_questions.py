"""Every question has its command, which asks a running service and shows words as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from app.command.cli import chosen, whole
from app.core.text import TextSpec
from app.serving.questions import QUESTIONS, Question
from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman", "왕", "[bold]", "[/b]", *(f"w{i}" for i in range(20))]
LINES = [["king", "woman", "w1"], ["man", "woman", "queen"], ["w1", "queen", "w2"]]
ASKED = {
    "neighbors": ["king"],
    "analogy": ["king", "man", "woman"],
    "similarity": ["king", "queen"],
    "vector": ["왕"],
    "words": ["w"],
    "odd-one-out": ["king", "queen", "man"],
    "senses": ["king"],
    "text-vector": ["king of men"],
    "contexts": ["king"],
    "explain": ["king", "queen"],
    "cooccurrence": ["king", "queen"],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    world = World(tmp_path_factory.mktemp("world"))
    world.publish("m", WORDS, random_vectors(len(WORDS), 6), text=TextSpec(tokenizer="whitespace"), lines=LINES)
    with world.served() as client:
        yield str(client.base_url)
    world.close()


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(whole(), [*words, "--url", url], env={"COLUMNS": "100"}, catch_exceptions=False)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_is_a_command(url: str, question: Question) -> None:
    command = question.path.removeprefix("/")
    shown = run(url, command, *ASKED[command])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("m version 1\n")
    told = json.loads(run(url, command, *ASKED[command], "--json").stdout)
    assert told.keys() >= {name for name, field in question.answer.model_fields.items() if field.is_required()}


def test_options_are_the_question_s_parameters(url: str) -> None:
    told = json.loads(run(url, "neighbors", "king", "-k", "3", "--exact", "--version", "1", "--json").stdout)
    assert (told["word"], len(told["neighbors"])) == ("king", 3)


def test_neighbors_of_a_text_and_filters_are_options(url: str) -> None:
    told = json.loads(run(url, "neighbors", "--text", "king of men", "--deny", "w1", "--deny", "w2", "--json").stdout)
    assert (told["text"], told["missing"], len(told["neighbors"])) == ("king of men", ["of", "men"], 10)
    assert {"king", "w1", "w2"}.isdisjoint(neighbor["word"] for neighbor in told["neighbors"])


@pytest.mark.parametrize(
    "expression",
    [
        ["king", "-", "man", "+", "woman"],
        ["king-man+woman"],
        ["king - man + woman"],
        ["king", "man", "woman"],
        ["king", "+", "woman", "-", "man"],
        ["king", "-man", "+woman"],
        ["woman", "-man", "+", "king"],
    ],
    ids=" ".join,
)
def test_an_analogy_is_asked_as_people_write_it(url: str, expression: list[str]) -> None:
    told = json.loads(run(url, "analogy", *expression, "-k3", "--json").stdout)
    assert {told["a"], told["c"]} == {"king", "woman"}
    assert told["b"] == "man"
    assert len(told["answers"]) == 3


def test_a_number_of_answers_has_a_long_and_a_short_name(url: str) -> None:
    for option in ("-k", "--k"):
        assert len(json.loads(run(url, "words", "w", option, "3", "--json").stdout)["words"]) == 3


def test_help_names_what_is_typed() -> None:
    told = CliRunner().invoke(whole(), ["neighbors", "--help"], env={"COLUMNS": "100"}).stdout
    assert "neighbors [OPTIONS] [WORD]" in told
    assert "--model" in told
    told = CliRunner().invoke(whole(), ["odd-one-out", "--help"], env={"COLUMNS": "100"}).stdout
    assert "odd-one-out [OPTIONS] {WORD}..." in told


def test_words_are_never_markup(url: str) -> None:
    shown = run(url, "words", "[", "-k", "5").stdout
    assert "[bold]" in shown
    assert "[/b]" in shown
    assert "prefix: [" in shown


def test_the_command_line_starts_without_what_serves_and_what_other_commands_need() -> None:
    """It asks nothing here: the address is refused."""
    needless = {"numpy", "fastapi", "sqlalchemy", "numba", "app.core.settings", "app.serving.asking"}
    code = (
        "import sys; from app.command.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted({needless} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "jobs", "list", "--url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, "No service answers" in done.stderr) == ("[]\n", True)


@pytest.mark.parametrize("name", ["train", "import", "odd-one-out", "weat", "jobs"])
def test_a_command_that_is_named_is_the_only_one_that_is_described(name: str) -> None:
    only: Any = typer.main.get_command(chosen([name]))
    all_of_them: Any = typer.main.get_command(chosen([]))
    assert [*only.commands] == [name]
    assert {"train", "import", "odd-one-out", "weat", "jobs"} <= {*all_of_them.commands}
