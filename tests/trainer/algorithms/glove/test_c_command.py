"""The command that moves users from the C program to ours and back: what they give it, what they get."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.algorithms.glove.c_command import main
from trainer.algorithms.glove.c_files import RECORD, read_vocabulary

TEXT = "the cat sat on the mat\nthe dog lay on a log\n고양이 the 고양이\n" * 31


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer.algorithms.glove.c_command", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counted")
    (folder / "corpus.txt").write_text(TEXT, encoding="utf-8")
    done = run("count", folder / "corpus.txt", folder / "out", "--set", "window=2", "--set", "threads=1")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_counting_leaves_the_two_files_and_nothing_else(counted: Path) -> None:
    assert sorted(path.name for path in counted.iterdir()) == ["cooccurrence.bin", "vocab.txt"]
    assert (counted / "vocab.txt").read_text(encoding="utf-8").startswith("the 124\n")
    records = np.fromfile(counted / "cooccurrence.bin", RECORD)
    words = read_vocabulary(counted / "vocab.txt").words()
    pair = (records["row"] == words.index("고양이") + 1) & (records["column"] == words.index("the") + 1)
    assert records["count"][pair].tolist() == [62.0]


def test_training_writes_vectors_that_others_read(counted: Path, tmp_path: Path) -> None:
    settings = ["--set", "window=2", "--set", "dim=6", "--set", "epochs=4", "--set", "threads=1"]
    done = run("train", counted / "vocab.txt", counted / "cooccurrence.bin", tmp_path / "vectors.txt", *settings)
    assert done.returncode == 0, done.stderr
    assert "after 4 epochs" in done.stdout
    lines = (tmp_path / "vectors.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ")[0] for line in lines] == read_vocabulary(counted / "vocab.txt").words()
    assert all(len(line.split(" ")) == 7 for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.txt"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["--set", "window=1"], "within a window"),
        (["--set", "window=2", "--set", "dim=1"], "dim"),
        (["--set", "window"], "NAME=VALUE"),
        (["--set", "windows=2"], "Did you mean window?"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    counted: Path,
    tmp_path: Path,
    settings: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = ["train", counted / "vocab.txt", counted / "cooccurrence.bin", tmp_path / "v", *settings]
    monkeypatch.setattr(sys, "argv", ["wordkin glove", *map(str, said)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())
