"""A version becomes a file, or nothing is left."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import httpx
from gensim.models import KeyedVectors

from tests.app.command.conftest import WORDS, Wordkin, wordkin
from tests.app.command.test_completion import offered


def test_a_version_is_written_to_a_file(ask: Wordkin, tmp_path: Path) -> None:
    done = ask("export", "first@1", "--format", "word2vec-binary", "-o", "a.bin", "--words", "top:3", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "a.bin: 91 B\n")
    assert KeyedVectors.load_word2vec_format(tmp_path / "a.bin", binary=True).index_to_key == WORDS[:3]
    assert [path.name for path in tmp_path.glob("a.*")] == ["a.bin"]


def test_the_service_names_the_file_and_none_is_replaced_unasked(ask: Wordkin, tmp_path: Path) -> None:
    assert ask("export", "first", "-f", "glove", cwd=tmp_path).stdout.startswith("first-v2.glove.txt: ")
    again = ask("export", "first", "-f", "glove", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert ask("export", "first", "-f", "glove", "-o", "first-v2.glove.txt", cwd=tmp_path).returncode == 0


def test_a_refusal_is_told_and_leaves_no_file(ask: Wordkin, tmp_path: Path) -> None:
    refused = ask("export", "first", "--format", "pickle", "-o", "file", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.startswith("error: Invalid request: format: ")) == (1, True)
    assert ask("export", "first@7", "-f", "glove", "-o", "file", cwd=tmp_path).stderr == (
        "error: Version not found: The model 'first' has no version 7.\n"
    )
    assert not list(tmp_path.glob("file*"))


def test_a_folder_that_is_not_there_is_named(ask: Wordkin, tmp_path: Path) -> None:
    refused = ask("export", "first", "-f", "glove", "-o", "nowhere/file", cwd=tmp_path)
    assert (refused.returncode, f"There is no folder {tmp_path / 'nowhere'}." in refused.stderr) == (2, True)


def test_what_is_no_file_is_written_to_and_not_replaced(ask: Wordkin, service: httpx.Client, tmp_path: Path) -> None:
    asked = ("export", "first@1", "-f", "word2vec-text", "-o")
    assert ask(*asked, "a.txt", cwd=tmp_path).returncode == 0
    exported = (tmp_path / "a.txt").read_text()
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    assert ask(*asked, "pipe", cwd=tmp_path).returncode == 0
    reader.join(60)
    assert (got, pipe.is_fifo()) == ([exported], True)
    out = wordkin(*asked, "-", url=str(service.base_url), cwd=tmp_path)
    assert (out.returncode, out.stdout) == (0, exported)
    assert ask(*asked, ".", cwd=tmp_path).returncode == 2
    (tmp_path / "link").symlink_to("a.txt")
    assert ask(*asked, "link", "--words", "top:1", cwd=tmp_path).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.txt").read_text() != exported


def test_formats_are_completed_without_a_service(service: httpx.Client) -> None:
    assert offered("export x --format w") == ["word2vec-text", "word2vec-binary"]
    assert offered("export f", str(service.base_url)) == ["first"]
