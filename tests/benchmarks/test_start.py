"""Both benchmarks start, on a text of our own choice, in a clone with nothing beside it."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.corpora import LINE_TOKENS, text_of
from tests.conftest import DATA


def run(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # pytest tells what went wrong


def test_training_runs_on_any_text(tmp_path: Path) -> None:
    corpus = str(DATA / "corpora" / "fairy-tales.txt.xz")
    rows = tmp_path / "rows.json"
    told = run("training", "--corpus", corpus, "--only", "encode", "skip-gram-ns-d100", "--json", str(rows))
    assert "fairy-tales.txt" in told
    found = {row["case"]: row for row in json.loads(rows.read_text())["rows"]}
    assert found.keys() == {"encode", "skip-gram-ns-d100"}
    assert all(row["peer"].startswith("gensim") and row["ratio"] > 0 for row in found.values())
    assert found["skip-gram-ns-d100"]["details"]["quality"]["ours"]["analogy"]["covered"] > 20


def test_serving_runs_on_any_size(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    size = ("--words", "2000", "--dim", "20", "--seconds", "0.1", "--starts", "1")
    run("serving", "--quick", *size, "--only", "server", "rest", "gensim", "--json", str(rows))
    cases = {re.split("[ ,]", row["case"])[0] for row in json.loads(rows.read_text())["rows"]}
    assert cases >= {"analogy-batched", "start", "memory", "gensim-neighbors"}


def test_a_text_is_cut_into_lines_however_it_is_packed(tmp_path: Path) -> None:
    text = b"word " * 2500
    (tmp_path / "plain.txt").write_bytes(text)
    (tmp_path / "gzipped.txt.gz").write_bytes(gzip.compress(text))
    (tmp_path / "xz.txt.xz").write_bytes(lzma.compress(text))
    for name in ("plain.txt", "gzipped.txt.gz", "xz.txt.xz"):
        lines = text_of(tmp_path / "made", source=tmp_path / name).read_bytes().splitlines()
        assert [len(line.split()) for line in lines] == [LINE_TOKENS, LINE_TOKENS, 500]


def test_a_text_that_lies_there_uncut_is_cut_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_bytes(b"word " * 2500)
    assert len(text_of(tmp_path, source=tmp_path / "plain.txt").read_bytes().splitlines()) == 3


def test_the_demo_s_corpus_is_the_default(tmp_path: Path) -> None:
    assert b"In the beginning" in text_of(tmp_path, quick=True).read_bytes()[:200]


def test_every_command_that_is_shown_can_be_typed() -> None:
    """Each module is there, and knows each option."""
    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    shown = re.findall(r"python -m benchmarks\.(\w+)([^`#\n]*)", (folder / "README.md").read_text())
    assert len(shown) > 5
    known = "".join(path.read_text() for path in folder.glob("*.py"))
    for module, options in shown:
        assert (folder / f"{module}.py").exists(), module
        for option in re.findall(r"--[a-z0-9-]+", options):
            assert f'"{option}"' in known, f"{module} {option}"
