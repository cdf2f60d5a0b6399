from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.table.vocabulary import Vocabulary
from trainer.corpus import runs as runs_module
from trainer.corpus.runs import Runs
from trainer.corpus.types import Types
from trainer.kernels.text import order

COUNTS = {
    "the": 9,
    "a": 7,
    "가": 7,
    "ab": 7,
    "abc": 7,
    "b": 7,
    "long enough to differ late": 2,
    "long enough to": 2,
    "z": 1,
}
"""In the order of a vocabulary."""


def types_of(words: list[str]) -> Types:
    found = Vocabulary.from_words(words, [COUNTS[word] for word in words])
    return Types(found.word_bytes, found.word_offsets, found.counts)


@pytest.mark.parametrize("n_runs", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("max_words", [None, 5])
@pytest.mark.parametrize("portion", [2, 100])
def test_runs_come_together_in_the_order_of_a_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_runs: int, max_words: int | None, portion: int
) -> None:
    monkeypatch.setattr(runs_module, "_PORTION", portion)
    words = sorted(COUNTS, key=lambda word: (-COUNTS[word], word.encode()))
    runs, given = Runs(tmp_path), []
    for i in range(n_runs):
        run = words[i::n_runs]
        given += run
        runs.add(types_of(run))
        runs.add(types_of([]))
    assert len(runs) == len(words)
    found, ranks = runs.in_one_order(max_words)
    kept = words[:max_words]
    assert Vocabulary(found.arena, found.offsets, found.counts).words() == kept
    assert found.counts.tolist() == [COUNTS[word] for word in kept]
    assert ranks.tolist() == [*(kept.index(word) if word in kept else -1 for word in given), -1]


def test_no_runs_have_no_words(tmp_path: Path) -> None:
    found, ranks = Runs(tmp_path).in_one_order(None)
    assert (len(found), found.offsets.tolist(), ranks.tolist()) == (0, [0], [-1])


def mapped_bytes() -> int:
    """Of files, as far as this process has them in memory."""
    return next(
        int(line.split()[1]) << 10
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssFile")
    )


def test_of_runs_in_files_only_a_portion_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_words, length = 100_000, 300
    runs = Runs(tmp_path)
    for first in "ab":
        arena = np.full((n_words, length), ord(first), np.uint8)
        for i in range(1, 6):
            arena[:, i] = ord("0") + np.arange(n_words) // 10 ** (5 - i) % 10
        runs.add(Types(arena.reshape(-1), np.arange(n_words + 1) * length, np.ones(n_words, np.int64)))
    monkeypatch.setattr(runs_module, "_PORTION", n_words // 10)
    found, merge = [], order.merge

    def watched(*given: Any) -> None:
        found.append(mapped_bytes())
        merge(*given)

    monkeypatch.setattr(order, "merge", watched)
    words, ranks = runs.in_one_order(None)
    assert len(found) == 20
    assert max(found) - found[0] < 2 * n_words * length / 10
    assert words.arena[:: n_words * length].tolist() == [ord("a"), ord("b")]
    assert np.array_equal(ranks[:-1], np.arange(2 * n_words))
