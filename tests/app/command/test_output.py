"""The version, and what goes wrong, for people and for programs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman"]


def wordkin(*words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


@pytest.fixture
def nobody() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # and never listens
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_the_version_is_told() -> None:
    done = wordkin("--version")
    assert (done.returncode, done.stdout) == (0, f"wordkin {version('wordkin')}\n")


def test_no_service_is_one_line_and_under_json_a_problem(nobody: str) -> None:
    done = wordkin("neighbors", "king", "--url", nobody)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: No service answers at {nobody} ")
    assert done.stderr.count("\n") == 1
    problem = json.loads(wordkin("neighbors", "king", "--url", nobody, "--json").stderr)
    assert problem["title"] == "Command failed"
    assert problem["detail"].startswith(f"No service answers at {nobody} ")


def test_errors_of_the_service_are_told_by_the_names_of_options(world: World) -> None:
    world.publish("first", WORDS, random_vectors(4, 6))
    world.publish("second", WORDS, random_vectors(4, 6))
    with world.served() as client:
        url = str(client.base_url)
        done = wordkin("neighbors", "king", "--url", url)
        assert done.stderr == (
            "error: Model required: There are 2 models; say which one with --model. There are: first, second.\n"
        )
        done = wordkin("neighbors", "king", "--model", "first", "--k", "0", "--url", url)
        assert done.stderr == "error: Invalid request: k: Input should be greater than or equal to 1\n"
        done = wordkin("neighbors", "kin", "--model", "first", "--url", url, "--json")
        assert (done.returncode, done.stdout) == (1, "")
        problem = json.loads(done.stderr)
        assert (problem["type"], problem["missing"]) == ("/problems/word-not-found", ["kin"])
