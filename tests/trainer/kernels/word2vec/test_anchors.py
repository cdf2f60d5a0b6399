"""Drawing rows back, beside plain loops in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles.word2vec import drawn_back
from trainer.kernels.word2vec.anchors import draw_back
from trainer.kernels.word2vec.layout import Stream, Tables
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS

N_WORDS, DIM = 12, 5
KEY = 77


def stream_of(ids: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Stream:
    """Words are kept with several chances, each block has a learning rate of its own, the last comes first."""
    keep = np.linspace(2**31, 2**32 - 1, N_WORDS).astype(np.uint32)
    rates = np.linspace(0.3, 0.1, -(-len(ids) // BLOCK_POSITIONS)).astype(np.float32)
    order = np.arange(len(rates))[::-1].copy()
    return Stream(ids, keep, order, rates, np.uint64(KEY), np.uint64(0), 5, True, 1, np.ones(11, np.float32))


def test_each_kept_token_draws_its_row_once_as_the_oracle_does() -> None:
    random = np.random.default_rng(3)
    ids = random.integers(-1, N_WORDS, 3 * BLOCK_POSITIONS - 100).astype(np.int32)
    stream = stream_of(ids)
    anchors = random.standard_normal((N_WORDS, DIM)).astype(np.float32)
    rows = random.standard_normal((N_WORDS, DIM)).astype(np.float32)
    strengths = np.array([0, np.inf, 50, *random.uniform(0.001, 0.02, N_WORDS - 3)], np.float32)
    expected = rows.astype(np.float64)
    first_two = [*range(BLOCK_POSITIONS, 2 * BLOCK_POSITIONS), *range(BLOCK_POSITIONS)]
    tokens = [(p, int(ids[p])) for p in first_two if ids[p] >= 0]
    rates = {p: float(stream.learning_rates[2 - p // BLOCK_POSITIONS]) for p, _ in tokens}
    drawn_back(tokens, stream.keep.tolist(), KEY, rates, strengths.tolist(), anchors.astype(np.float64), expected)
    before = rows.copy()
    draw_back(stream, 1, 3, Tables(rows, rows), anchors, strengths)
    np.testing.assert_allclose(rows, expected, rtol=2e-5, atol=1e-6)
    assert rows[0].tobytes() == before[0].tobytes(), "without a strength it is left alone"
    assert rows[1].tobytes() == anchors[1].tobytes(), "a frozen one is its anchor, bit for bit"
    assert rows[2].tobytes() == anchors[2].tobytes(), "none goes beyond its anchor"
    assert 0.01 < np.abs(rows[3:] - before[3:]).max() < np.abs(anchors[3:] - before[3:]).max()


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_words_that_are_not_there_do_not_move(rate: float) -> None:
    ids = np.full(BLOCK_POSITIONS, 4, np.int32)
    stream = stream_of(ids)._replace(learning_rates=np.array([rate], np.float32))
    rows, anchors = np.zeros((N_WORDS, DIM), np.float32), np.ones((N_WORDS, DIM), np.float32)
    draw_back(stream, 0, 1, Tables(rows, rows), anchors, np.ones(N_WORDS, np.float32))
    assert np.flatnonzero(rows.any(axis=1)).tolist() == ([4] if rate else [])


def test_a_word_of_several_rows_draws_all_of_them() -> None:
    """Words 0 to 2 are of rows 0 and 3, of 1 and 3, of 2; only word 1 is there, twice, and row 3 is held less."""
    ids = np.array([1, -1, 1], np.int32)
    stream = stream_of(ids)._replace(keep=np.full(3, 2**32 - 1, np.uint32), learning_rates=np.ones(1, np.float32))
    rows, anchors = np.zeros((4, DIM), np.float32), np.ones((4, DIM), np.float32)
    tables = Tables(rows, rows, np.array([0, 2, 4, 5]), np.array([0, 3, 1, 3, 2], np.int32))
    draw_back(stream, 0, 1, tables, anchors, np.array([1, 0.5, 1, 0.25], np.float32))
    assert rows[:, 0].tolist() == [0, 0.75, 0, 1 - 0.75**2]
