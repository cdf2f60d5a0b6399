"""``wordkin import`` uploads what it read as vectors, and refuses anything else before it sends it."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import httpx
import pytest

from tests.app.command.conftest import Wordkin

VECTORS = "king 1 0\nqueen 0 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "small.txt").write_text(VECTORS)
    (folder / "packed.vec.gz").write_bytes(gzip.compress(f"2 2\n{VECTORS}".encode()))
    (folder / "counts.txt").write_text("king 9\nqueen 3\n")
    return folder


def test_a_file_is_uploaded_and_an_import_queued(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    done = ask(
        *("import", "small.txt", "--vocabulary", "counts.txt", "--rows", "spaces=drop", "--text", "case=lower"),
        *("--licence", "CC0-1.0", "--alias", "staging", "--detach"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert "small.txt looks like glove" in done.stderr
    job = service.get("/jobs").json()["jobs"][0]
    assert (job["kind"], job["model"], job["file"], job["publish"]) == (
        "import",
        "small",
        "small",
        {"alias": "staging"},
    )
    assert (job["text"]["case"], job["text"]["normalization"]) == ("lower", "none")
    assert job["id"] in done.stdout
    stored = {file["name"]: file["n_bytes"] for file in service.get("/files").json()["files"]}
    assert stored == {"small": len(VECTORS), "counts": 15}


def test_what_is_packed_is_stored_unpacked(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    done = ask("import", "packed.vec.gz", "--model", "m", "--detach", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "packed.vec.gz looks like word2vec-text" in done.stderr
    (file,) = service.get("/files").json()["files"]
    assert file["n_bytes"] == len(VECTORS) + 4


def test_a_folder_of_model2vec_is_sent_as_one_file(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    (folder / "potion" / "onnx").mkdir(parents=True)
    for name in ("model.safetensors", "tokenizer.json", "README.md", "onnx/model.onnx"):
        (folder / "potion" / name).write_bytes(b"{}")
    done = ask("import", "potion", "--detach", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "potion looks like model2vec" in done.stderr
    (file,) = service.get("/files").json()["files"]
    assert (file["name"], file["n_bytes"]) == ("potion", 10240)
    done = ask("import", ".", "--detach", cwd=folder)
    assert (done.returncode, "is a folder without the files of Model2Vec" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        (pickle.dumps({}), [], "v.txt: The file looks like a Python pickle"),
        (b"no vectors\n", [], "v.txt: Line 1 is not a word with numbers after it"),
        (VECTORS.encode(), ["--rows", "spaces"], "--rows spaces: write it as NAME=VALUE"),
        (VECTORS.encode(), ["--model", "a/b"], "--model 'a/b': a name has letters"),
    ],
)
def test_what_cannot_be_imported_is_not_sent(
    ask: Wordkin, service: httpx.Client, folder: Path, content: bytes, words: list[str], told: str
) -> None:
    (folder / "v.txt").write_bytes(content)
    done = ask("import", "v.txt", *words, cwd=folder)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert {job["kind"] for job in service.get("/jobs").json()["jobs"]} == {"train"}


def test_a_policy_that_does_not_exist_is_told_by_the_service(ask: Wordkin, folder: Path) -> None:
    done = ask("import", "small.txt", "--rows", "spaces=squeeze", cwd=folder)
    assert done.returncode == 1
    assert "'keep', 'replace', 'drop' or 'error'" in done.stderr


def test_files_are_listed_shown_and_deleted(ask: Wordkin, service: httpx.Client) -> None:
    assert ask("files", "list").stderr == "There is no file.\n"
    service.put("/files/f", content=b"one")
    service.put("/files/f", content=b"three")
    assert ask("files", "list").stdout.splitlines()[1].split()[:2] == ["f", "2"]
    assert len(ask("files", "show", "f").stdout.splitlines()) == 3
    assert ask("files", "delete", "f", "--yes").returncode == 0
    gone = ask("files", "show", "f")
    assert (gone.returncode, "There is no file 'f'." in gone.stderr) == (1, True)
