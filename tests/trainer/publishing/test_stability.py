"""Agreement of trainings, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.table.arrays import Neighbors
from app.core.table.vocabulary import Vocabulary
from trainer.publishing import stability
from trainer.publishing.stability import agreement, facts


def ids(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


def test_a_neighbour_is_found_among_ten_or_as_many_as_its_rank() -> None:
    own = list(range(1, 13))
    other = [20, 21, 22, 23, 24, 25, 26, 27, 28, 1, 2, 12]
    found = agreement(Neighbors(ids(own), np.ones((1, 12), np.float32)), [ids(other)])
    # 1 stands at place 10, which is enough; 2 at place 11 is not, for rank 2; 12 at place 12 is, for rank 12
    assert found.tolist() == [[2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]]
    assert found.dtype == np.uint8


def test_all_replicas_are_counted_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    tables = [np.argsort(generator.random((50, 60)), axis=1)[:, :20].astype(np.int32) for _ in range(4)]
    neighbors = Neighbors(tables[0], np.ones((50, 20), np.float32))
    found = agreement(neighbors, tables[1:])
    for word in range(50):
        for rank, neighbor in enumerate(tables[0][word], 1):
            n = 1 + sum(int(neighbor) in table[word, : max(rank, 10)].tolist() for table in tables[1:])
            assert found[word, rank - 1] == n
    monkeypatch.setattr(stability, "BLOCK", 7)
    np.testing.assert_array_equal(agreement(neighbors, tables[1:]), found)


def test_means_are_told_by_frequency() -> None:
    agreed = np.array([[3, 3], [3, 1], [1, 1]], np.uint8)
    told = facts(agreed, Vocabulary.from_words(["a", "b", "c"], [900, 150, 5]), 3)
    assert (told["replicas"], told["overlap_at_10"]) == (3, 0.5)
    assert told["by_frequency"] == [
        {"min_count": 1, "n_words": 1, "overlap_at_10": 0.0},
        {"min_count": 100, "n_words": 1, "overlap_at_10": 0.5},
        {"min_count": 500, "n_words": 1, "overlap_at_10": 1.0},
    ]
