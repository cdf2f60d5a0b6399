"""The version, and what goes wrong, for people and for programs."""

from __future__ import annotations

import json
import socket
from importlib.metadata import version

import pytest

from tests.app.command.conftest import Wordkin, wordkin


@pytest.fixture
def nobody() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # and never listens
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


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


def test_errors_of_the_service_name_options_and_what_there_is(ask: Wordkin) -> None:
    done = ask("neighbors", "king")
    assert done.stderr == (
        "error: Model required: There are 2 models; say which one with --model. There are: first, second.\n"
    )
    done = ask("neighbors", "king", "--model", "frist")
    assert done.stderr == "error: Model not found: There is no model 'frist'. There are: first, second.\n"
    done = ask("neighbors", "king", "--model", "first", "--k", "0")
    assert done.stderr == "error: Invalid request: k: Input should be greater than or equal to 1\n"
    done = ask("neighbors", "kin", "--model", "first", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    problem = json.loads(done.stderr)
    assert (problem["type"], problem["missing"]) == ("/problems/word-not-found", ["kin"])
