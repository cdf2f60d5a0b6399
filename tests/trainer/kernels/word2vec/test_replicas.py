from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.kernels.word2vec.replicas import copy_rows, merge_replicas, row_address, rows_due


def table_and_replicas(n_replicas: int) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """Ten rows, and two threads' replicas of the first ones."""
    table = np.arange(40, dtype=np.float32).reshape(10, 4)
    replicas = [np.zeros((2, n_replicas, 4), np.float32) for _ in range(2)]
    for each in replicas:
        copy_rows(table, each)
    return table, replicas


def test_what_all_threads_have_changed_adds_up() -> None:
    table, (one, other) = table_and_replicas(3)
    before = table.copy()
    one[0, 0] += 1
    other[0, 0] += 2
    other[0, 2] -= 5
    for each in (one, other, one):
        merge_replicas(table, each, 3)
    assert (table - before)[:3].tolist() == [[3] * 4, [0] * 4, [-5] * 4]
    assert (one[0] == table[:3]).all(), "each takes what the others have added"
    assert (table[3:] == before[3:]).all()


def test_rows_that_are_not_due_wait() -> None:
    table, (one, _) = table_and_replicas(3)
    before = table.copy()
    one[0] += 1
    merge_replicas(table, one, 2)
    assert (table - before)[:3, 0].tolist() == [1, 1, 0]
    merge_replicas(table, one, 100)
    assert (table - before)[:4, 0].tolist() == [1, 1, 1, 0]


def test_row_r_is_due_about_every_r_plus_first_time() -> None:
    due = np.array([rows_due(n) for n in range(1, 1025)])
    for row in (0, 1, 2, 3, 7, 100, 500):
        every = 1024 / np.count_nonzero(due > row)
        assert (row + 1) / 2 <= every <= row + 1


def test_first_rows_are_found_among_the_replicas() -> None:
    assert [row_address(1000, 5000, 3, row, 64) for row in (0, 2, 3)] == [5000, 5128, 1192]
