from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare

from tests.oracles.word2vec import alias_distribution
from trainer.algorithms.word2vec.sampling import new_alias_table, noise_distribution
from trainer.kernels.hashing import key_of, mixed
from trainer.kernels.word2vec.noise import noise_word, noise_word_but


def draw(table: npt.NDArray[np.uint32], n: int, key: np.uint64) -> npt.NDArray[np.int64]:
    address, n_words = table.ctypes.data, len(table)
    return np.array([noise_word(address, n_words, np.uint64(mixed(key, np.uint64(i)))) for i in range(n)])


@pytest.mark.parametrize("exponent", [0.75, 0.0, 1.0, -1.0])
def test_alias_table_stands_for_the_distribution(exponent: float) -> None:
    """Counts to the power, not counts times it."""
    counts = np.array([1000, 400, 30, 30, 2, 1])
    powered = np.array([float(count) ** exponent for count in counts])
    table = new_alias_table(noise_distribution(counts, exponent))
    assert alias_distribution(table.tolist()) == pytest.approx(powered / powered.sum(), abs=1e-8)


def test_alias_table_of_many_words() -> None:
    counts = np.maximum(1, 10**7 // np.arange(1, 50_001))
    wanted = noise_distribution(counts, 0.75)
    assert np.abs(alias_distribution(new_alias_table(wanted).tolist()) - wanted).max() < 1e-10


def test_draws_pass_a_chi_square_test() -> None:
    wanted = noise_distribution(np.array([900, 300, 100, 50, 20, 10, 5]), 0.75)
    drawn = draw(new_alias_table(wanted), 60_000, key_of(7))
    observed = np.bincount(drawn, minlength=7)
    assert chisquare(observed, wanted * 60_000).pvalue > 1e-4
    plain_counts = np.array([900, 300, 100, 50, 20, 10, 5]) / 1385
    assert chisquare(observed, plain_counts * 60_000).pvalue < 1e-9, "the test could not fail"


def without(table: npt.NDArray[np.uint32], center: int, n: int) -> list[int]:
    drawn: list[int] = []
    counter: Any = np.uint64(0)
    for _ in range(n):
        word, counter = noise_word_but(table.ctypes.data, len(table), center, key_of(3), np.uint64(counter))
        drawn.append(int(word))
    return drawn


def test_negatives_are_the_noise_given_that_it_is_not_the_center() -> None:
    wanted = noise_distribution(np.array([900, 300, 100]), 0.75)
    drawn = np.bincount(without(new_alias_table(wanted), 0, 20_000), minlength=3)
    assert drawn[0] == 0
    assert chisquare(drawn[1:], 20_000 * wanted[1:] / wanted[1:].sum()).pvalue > 1e-4


def test_noise_that_is_always_the_center_gives_its_neighbour() -> None:
    assert set(without(new_alias_table(np.array([0.0, 1.0])), 1, 50)) == {0}
