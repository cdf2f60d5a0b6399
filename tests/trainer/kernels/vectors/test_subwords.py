"""N-grams of the kernel are those that queries are cut into; the mean of rows and its transpose, against a matrix."""

from __future__ import annotations

import numpy as np

from app.core.text.ngrams import Unit, ngram_hashes, sizes_of, spelled
from trainer.kernels.vectors.subwords import joined, listed_ngrams, mean_rows, spread_rows

WORDS = ["king", "왕궁", "a", "", "naïve", "👑", "AI반도체", "ㅋㅋㅋ", "강ㅏ닭", "에e", "가나다라마바", "\ue000\u3131"]
UNITS: list[Unit] = ["character", "jamo"]


def test_the_buckets_are_those_that_a_query_is_cut_into() -> None:
    for unit in UNITS:
        marked = [spelled(word, unit).encode() if word else b"" for word in WORDS]
        for sizes in ((1, 3), (3, 6), (4, 5)):
            offsets, buckets = listed_ngrams(*joined(marked), 97, sizes_of(*sizes, unit))
            found = [buckets[offsets[i] : offsets[i + 1]].tolist() for i in range(len(WORDS))]
            expected = [ngram_hashes(word, *sizes, unit) if word else [] for word in WORDS]
            assert found == [[code % 97 for code in hashes] for hashes in expected]


def test_products_are_those_of_the_matrix_of_means() -> None:
    rng = np.random.default_rng(1)
    offsets, columns = np.array([0, 2, 3, 7]), np.array([1, 1, 0, 2, 0, 3, 1], np.int32)
    matrix = np.zeros((3, 5))
    for word in range(3):
        for column in columns[offsets[word] : offsets[word + 1]]:
            matrix[word, column] += 1 / (offsets[word + 1] - offsets[word])
    rows, vectors = rng.standard_normal((5, 4)).astype(np.float32), rng.standard_normal((3, 4)).astype(np.float32)
    means, spread = np.full((3, 4), np.nan, np.float32), np.full((5, 4), np.nan, np.float32)
    mean_rows(offsets, columns, rows, means)
    np.testing.assert_allclose(means, matrix @ rows, atol=1e-6)
    spread_rows(offsets, columns, vectors, spread)
    np.testing.assert_allclose(spread, matrix.T @ vectors, atol=1e-6)
