from __future__ import annotations

import numpy as np
import pytest

from tests.oracles.word2vec import splitmix64
from trainer.kernels.hashing import below, fill_uniform, key_of, mixed


def test_it_is_splitmix64() -> None:
    """The first outputs for seed 1234567, as its author publishes them."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(mixed(np.uint64(1234567), np.uint64(i))) for i in range(1, 5)] == published
    assert [splitmix64(1234567, i) for i in range(1, 5)] == published


def test_keys_of_different_purposes_differ() -> None:
    keys = {int(key_of(seed, purpose, epoch)) for seed in range(9) for purpose in range(3) for epoch in range(9)}
    assert len(keys) == 9 * 3 * 9


@pytest.mark.parametrize("bound", [1, 2, 7, 2**31])
def test_below_covers_its_range(bound: int) -> None:
    assert below(np.uint64(0), bound) == 0
    assert below(np.uint64(2**64 - 1), bound) == bound - 1


def test_initial_rows_are_uniform_and_padding_stays_zero() -> None:
    rows = np.zeros((2000, 16), np.float32)
    fill_uniform(rows, 10, key_of(1), 0.05)
    assert not rows[:, 10:].any()
    drawn = rows[:, :10]
    assert drawn.min() >= -0.05
    assert drawn.max() < 0.05
    assert abs(drawn.mean()) < 0.05 * 4 / np.sqrt(3 * drawn.size)
    assert drawn.var() == pytest.approx(0.05**2 / 3, rel=0.03)
