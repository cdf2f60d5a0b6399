"""The version, and what goes wrong, for people and for programs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import httpx
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
    meant = "There is no model 'frist'; did you mean 'first'?"
    assert done.stderr == f"error: Model not found: {meant} There are: first, second.\n"
    done = ask("neighbors", "king", "--model", "first", "--k", "0")
    assert done.stderr == "error: Invalid request: k: Input should be greater than or equal to 1\n"
    done = ask("neighbors", "kin", "--model", "first", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    problem = json.loads(done.stderr)
    assert (problem["type"], problem["missing"]) == ("/problems/word-not-found", ["kin"])


def test_glove_is_the_command_for_the_files_of_the_c_program(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("the cat sat on the mat\n" * 9)
    told = wordkin("glove", "--help").stdout
    assert "Usage: wordkin glove" in told
    assert "`" not in told
    done = wordkin("glove", "count", "corpus.txt", "out", "--set", "window=2", "--set", "threads=1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "vocab.txt").read_text().startswith("the 18\n")
    done = wordkin("glove", "count", "corpus.txt", "out", "--set", "[/]=2", cwd=tmp_path)
    assert (done.returncode, done.stderr.startswith("error: --set: There is no hyperparameter '[/]'.")) == (1, True)


def test_what_was_typed_wrongly_is_a_problem_document_where_json_is_read() -> None:
    wrong = wordkin("neighbors", "king", "--knit", "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert json.loads(wrong.stderr)["detail"].startswith("No such option: --knit")


def test_a_list_that_goes_on_says_so(ask: Wordkin, service: httpx.Client) -> None:
    for name in ("a", "b"):
        service.put(f"/files/{name}", content=b"x")
    assert "There are more" in ask("files", "list", "--limit", "1").stderr
    assert "There are more" not in ask("files", "list", "--limit", "2").stderr


def test_a_variable_that_is_no_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDKIN_DATAA_DIR", "x")
    monkeypatch.setenv("WORDKIN_DATA_DIR", str(tmp_path))
    for command in ("migrate", "check", "recover"):
        done = wordkin(command)
        assert done.returncode == 0
        assert "WORDKIN_DATAA_DIR is no setting; did you mean WORDKIN_DATA_DIR?" in done.stderr
    assert json.loads(wordkin("recover", "--json").stdout) == {"versions": []}


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORDKIN_DATA_DIR", str(tmp_path / "file" / "data"))
    done = subprocess.run([sys.executable, "-m", "app"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {tmp_path / 'file' / 'data'}: Not a directory"
    assert "Traceback" not in done.stderr
