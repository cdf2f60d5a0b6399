from __future__ import annotations

from pathlib import Path

import pytest

from app.core.table.vocabulary import Vocabulary
from trainer.corpus.runs import Runs
from trainer.corpus.types import Types

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
def test_runs_come_together_in_the_order_of_a_vocabulary(tmp_path: Path, n_runs: int, max_words: int | None) -> None:
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
