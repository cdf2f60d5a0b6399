"""Compiled kernels are kept, and never served after what they were compiled from has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trainer

CALL = """
import numpy as np
from trainer.kernels.word2vec.windows import drawn_window
print(drawn_window(np.uint64(2**64 - 1), 7, True), *drawn_window.stats.cache_hits.values())
"""
CALLEE = "return np.int64(((bits >> _SHIFT_32) * np.uint64(bound)) >> _SHIFT_32)"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A tree in which the kernels may be edited."""
    source, target = Path(trainer.__file__).parent, tmp_path / "trainer"
    shutil.copytree(source / "kernels", target / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "__init__.py").touch()
    return tmp_path


def call(tree: Path, **variables: str) -> list[int]:
    """What the kernel gives in a process of its own, and how often it came from the cache."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    command = [sys.executable, "-c", CALL]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, cwd=tree)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def edit(tree: Path, bound: int) -> None:
    path = tree / "trainer" / "kernels" / "hashing.py"
    text = path.read_text(encoding="utf-8")
    assert CALLEE in text
    path.write_text(text.replace(CALLEE, f"return np.int64({bound})"), encoding="utf-8")


def test_an_edited_callee_takes_effect(copied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    given = {"NUMBA_CACHE_DIR": str(folder)}
    assert call(copied, **given) == [7]
    assert call(copied, **given) == [7, 1], "the second process does not compile"
    edit(copied, 40)
    assert call(copied, **given) == [41]
    assert call(copied, **given) == [41, 1]
    assert len(list(folder.glob("kernels-*"))) == 2
    assert [path.name[:8] for path in folder.iterdir()] == ["kernels-"] * 2


def test_without_a_variable_the_cache_lies_beside_the_sources(copied: Path) -> None:
    assert call(copied) == [7]
    assert len(list((copied / "trainer" / "kernels" / "__pycache__").glob("kernels-*/**/*.nbi"))) == 1


def test_sources_that_cannot_be_written_beside_are_cached_in_the_user_s_folder(copied: Path, tmp_path: Path) -> None:
    (copied / "trainer" / "kernels" / "__pycache__").touch()  # no folder can be made there, whoever one is
    given = {"XDG_CACHE_HOME": str(tmp_path / "home")}
    assert call(copied, **given) == [7]
    assert call(copied, **given) == [7, 1]
    assert len(list((tmp_path / "home" / "wordkin").glob("kernels-*/**/*.nbi"))) == 1


def test_folders_of_other_revisions_go_once_nobody_uses_them(copied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for name, days in (("kernels-old", 8), ("kernels-recent", 6), ("mine", 99)):
        (folder / name).mkdir(parents=True)
        os.utime(folder / name, (time.time() - 86400 * days,) * 2)
    call(copied, NUMBA_CACHE_DIR=str(folder))
    names = {path.name for path in folder.iterdir()}
    assert {"kernels-recent", "mine"} < names
    assert "kernels-old" not in names
