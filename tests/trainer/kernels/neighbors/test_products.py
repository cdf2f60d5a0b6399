from __future__ import annotations

import numpy as np
import pytest

from app.core.table.writing import normalise
from tests.published import random_vectors
from trainer.kernels.llvm import LANES
from trainer.kernels.neighbors.masks import WIDTH
from trainer.kernels.neighbors.products import ONE, error, most_rounded_off, multiply, n_pairs, pack, rounded_off


def packed(vectors: np.ndarray, n_words: int) -> np.ndarray:
    """Into memory that had something else in it."""
    found = np.full((n_words // LANES, n_pairs(vectors.shape[1]), LANES), -1, np.int32)
    pack(vectors, found)
    return found


def products(rows: np.ndarray, columns: np.ndarray, n: int) -> np.ndarray:
    """All scores with the first `n` columns."""
    scores = np.empty((-(-n // WIDTH), -(-len(rows) // 4) * 4, WIDTH), np.float32)
    sides = (packed(each, -(-len(each) // WIDTH) * WIDTH) for each in (rows, columns))
    row_side, column_side = sides
    for part, first in zip(scores, range(0, n, WIDTH), strict=True):
        multiply(row_side, column_side, (len(rows), first, n), part.ctypes.data)
    return np.concatenate(list(scores), axis=1)[: len(rows)]


@pytest.mark.parametrize("dim", [1, 2, 7, 8, 33, 100])
@pytest.mark.parametrize("n_words", [1, LANES - 1, LANES, 2 * LANES + 3])
def test_two_numbers_of_a_word_lie_together_and_its_neighbours_beside_them(n_words: int, dim: int) -> None:
    vectors = normalise(random_vectors(n_words, dim))[0]
    numbers = packed(vectors, 4 * LANES).view(np.int16).reshape(4, n_pairs(dim), LANES, 2)
    expected = np.zeros((4 * LANES, 2 * n_pairs(dim)), np.int16)
    expected[:n_words, :dim] = np.rint(vectors * np.float32(ONE))
    assert (numbers.transpose(0, 2, 1, 3).reshape(4 * LANES, -1) == expected).all()


@pytest.mark.parametrize("dim", [1, 2, 9, 100, 301])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(1, 1), (5, 64), (70, 130)])
def test_scores_are_the_products_of_integers(n_rows: int, n_columns: int, dim: int) -> None:
    rows, columns = (normalise(random_vectors(n, dim))[0] for n in (n_rows, n_columns))
    integers = [np.rint(each * np.float32(ONE)).astype(np.int64) for each in (rows, columns)]
    found = products(rows, columns, n_columns)
    expected = (integers[0] @ integers[1].T).astype(np.float32) * np.float32(1 / ONE**2)
    assert found[:, :n_columns].tobytes() == expected.tobytes()
    assert np.isnan(found[:, n_columns:]).all()


@pytest.mark.parametrize("dim", [1, 16, 100, 784, 4096])
def test_no_score_is_further_off_than_the_error_and_some_are_nearly_so(dim: int) -> None:
    """Numbers that lie half a unit beside an integer, all on the same side, are off the most."""
    close = np.floor(np.full((1, dim), ONE / np.sqrt(dim))) + 0.49
    vectors = np.concatenate([close / ONE, normalise(random_vectors(64, dim))[0], np.eye(1, dim)]).astype(np.float32)
    found = products(vectors, vectors, len(vectors))[:, : len(vectors)]
    doubles = vectors.astype(np.float64)
    off = np.abs(found - doubles @ doubles.T)
    for rounding in (rounded_off(vectors), most_rounded_off(dim)):
        assert off.max() <= error(rounding)
        assert off.max() >= 0.9 * error(rounding)


@pytest.mark.parametrize("dim", [1, 16, 100, 784])
def test_of_most_vectors_little_is_rounded_off(dim: int) -> None:
    """A number lies a quarter of a unit beside an integer on average: 0.29 in the mean square, half at most."""
    vectors = normalise(random_vectors(1000, dim))[0]
    doubles = vectors.astype(np.float64)
    lengths = np.linalg.norm(doubles - np.rint(doubles * ONE) / ONE, axis=1)
    assert lengths.max() <= rounded_off(vectors) <= 1.002 * lengths.max() + 2.0**-22
    assert rounded_off(vectors) <= most_rounded_off(dim)
    found = products(vectors, vectors, len(vectors))[:, : len(vectors)]
    assert np.abs(found - doubles @ doubles.T).max() <= error(rounded_off(vectors))
