"""Plots of growth: what is varied, and what a plot says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import end_to_end, publishing
from benchmarks.plots import plot
from benchmarks.setup import EVALUATION, Setup
from benchmarks.world import BLOCK, clustered


def told(printed: str) -> list[tuple[str, list[str], float, int]]:
    """What is varied, the points, the top of the axis, and how many lines there are, of each plot."""
    plots = re.findall(r"```mermaid\n(.*?)```", printed, re.DOTALL)
    found = []
    for each in plots:
        axis = re.search(r'x-axis "([^"]*)" \[(.*)\]', each)
        top = re.search(r"0 --> (\S+)", each)
        assert axis
        assert top
        lines = re.findall(r"line \[(.*)\]", each)
        numbers = [float(number) for line in lines for number in line.split(", ")]
        assert max(numbers) <= float(top[1])
        found.append((axis[1], [label.strip('"') for label in axis[2].split(", ")], float(top[1]), len(lines)))
    return found


def test_a_plot_has_room_for_its_highest_point(capsys: pytest.CaptureFixture[str]) -> None:
    plot("words", ["1,000", "9,000"], "seconds", {"all": [0.0123456, 0.0871], "some": [0.01, 0.02]})
    printed = capsys.readouterr().out
    assert told(printed) == [("words", ["1,000", "9,000"], 0.088, 2)]
    assert "line [0.01235, 0.0871]" in printed
    assert 'title "seconds by words: all, some"' in printed


def test_publication_is_plotted_by_words_dim_and_threads(capsys: pytest.CaptureFixture[str]) -> None:
    publishing.growth(2, base=(300, 8))
    found = {name: (labels, n_lines) for name, labels, _, n_lines in told(capsys.readouterr().out)}
    assert found == {
        "words": (["100", "300", "600", "900"], 3),
        "dim": (["4", "8", "16", "24"], 3),
        "threads": (["1", "2"], 3),
    }


def test_end_to_end_varies_one_thing_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[tuple[bytes, dict[str, Any]]] = []

    @contextmanager
    def service() -> Iterator[None]:
        yield None

    def seconds(_: None, text: Path, hyperparameters: dict[str, Any]) -> float:
        runs.append((text.read_bytes(), hyperparameters))
        return float(len(runs))

    monkeypatch.setattr(end_to_end, "_service", service)
    monkeypatch.setattr(end_to_end, "_seconds", seconds)
    text = tmp_path / "text"
    text.write_bytes(b"a line of a text\n" * 8)
    end_to_end.growth(Setup(text, tmp_path, EVALUATION, 2, 1, None, with_gensim=False))
    names = [name for name, *_ in told(capsys.readouterr().out)]
    assert names == ["dim", "threads", "part of the tokens", "max_words"]
    usual = {"dim": 100, "epochs": 1, "threads": 2}
    assert [some.count(b"\n") for some, _ in runs[:4]] == [1, 1, 1, 1]
    del runs[:4]  # these compile
    assert [said["dim"] for _, said in runs[:4]] == [50, 100, 200, 300]
    assert [said for _, said in runs[4:6]] == [usual | {"threads": 1}, usual]
    assert [some.count(b"\n") for some, _ in runs[6:9]] == [3, 5, 8]
    assert [said for _, said in runs[9:]] == [usual | {"max_words": n} for n in (5_000, 20_000, 60_000)]


def test_made_vectors_do_not_depend_on_how_many_rows_are_made_at_a_time() -> None:
    n_words, rng = BLOCK + 5, np.random.default_rng(0)
    centers = rng.standard_normal((n_words // 20, 3))
    at_once = centers[rng.integers(0, len(centers), n_words)] + 0.8 * rng.standard_normal((n_words, 3))
    assert (clustered(n_words, 3) == at_once.astype(np.float32)).all()
