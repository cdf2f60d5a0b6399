from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from tests.oracles.word2vec import Word2Vec
from trainer.kernels.hashing import key_of
from trainer.kernels.word2vec.layout import Addresses
from trainer.kernels.word2vec.windows import BLOCK_POSITIONS, drawn_window, gather_context, kept_tokens

WINDOW = 4


def corpus(n: int, line_end_share: float, seed: int = 5) -> npt.NDArray[np.int32]:
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, 50, n).astype(np.int32)
    ids[generator.random(n) < line_end_share] = -1
    return ids


def windows_by_kernel(ids: npt.NDArray[np.int32], keep: npt.NDArray[np.uint32]) -> list[tuple[int, list[int]]]:
    """(center, contexts from left to right) of all blocks, the last block first: order must not matter."""
    words, bits = np.zeros(BLOCK_POSITIONS + 2 * WINDOW, np.int32), np.zeros(BLOCK_POSITIONS + 2 * WINDOW, np.uint64)
    contexts = np.zeros(2 * WINDOW, np.int64)
    nowhere = dict.fromkeys(Addresses._fields, 0)  # so that the address of a word's row is its id
    at = Addresses(**nowhere | {"words": words.ctypes.data, "contexts": contexts.ctypes.data, "stride": 1})
    found: list[list[tuple[int, list[int]]]] = []
    for block in reversed(range(-(-len(ids) // BLOCK_POSITIONS))):
        left, first, last, end = kept_tokens(ids, block, keep, key_of(9), WINDOW, words, bits)
        found.append([])
        for i in range(first, last):
            if words[i] < 0:
                continue
            reach = drawn_window(np.uint64(bits[i]), WINDOW, True)
            n = gather_context(at, i, left, end, reach)
            found[-1].append((int(words[i]), contexts[:n].tolist()))
    return [window for block in reversed(found) for window in block]


@pytest.mark.parametrize("line_end_share", [0.0, 0.002, 0.3])
@pytest.mark.parametrize("keep_share", [1.0, 0.4, 0.004])
def test_windows_across_blocks_are_those_of_the_whole_corpus(line_end_share: float, keep_share: float) -> None:
    """No window crosses a line, none is cut at a block, and each kept token is a center exactly once."""
    ids = corpus(3 * BLOCK_POSITIONS + 77, line_end_share)
    keep = np.full(50, int(keep_share * (2**32 - 1)), np.uint32)
    limits, key = keep.tolist(), int(key_of(9))
    reference = Word2Vec(
        ids.tolist(), limits, key, 0, WINDOW, True, "skip-gram", None, None, 0, "exact", BLOCK_POSITIONS
    )
    expected = [(center, Counter(around)) for _, center, around in reference.windows()]
    assert [(center, Counter(around)) for center, around in windows_by_kernel(ids, keep)] == expected
    if keep_share == 1.0:
        assert len(expected) == int((ids >= 0).sum())


def test_reach_is_uniform() -> None:
    """Each size from 1 to the window equally often; always the window if it does not shrink."""
    generator = np.random.default_rng(1)
    draws = [drawn_window(np.uint64(bits), 5, True) for bits in generator.integers(0, 2**64, 5000, np.uint64)]
    assert np.bincount(draws, minlength=6)[1:] == pytest.approx(np.full(5, 1000), rel=0.15)
    assert min(draws) == 1
    assert drawn_window(np.uint64(0), 5, False) == 5


def test_keep_limits_are_met_to_32_bits() -> None:
    """word2vec.c draws 16 bits, so that a probability of 1e-6 is never met there."""
    ids = np.zeros(BLOCK_POSITIONS * 64, np.int32)
    words, bits = np.zeros(BLOCK_POSITIONS + 2, np.int32), np.zeros(BLOCK_POSITIONS + 2, np.uint64)
    for share in (0.5, 0.01):
        keep = np.array([share * 2**32], np.uint32)
        spans = [kept_tokens(ids, block, keep, key_of(4), 1, words, bits) for block in range(64)]
        kept = sum(last - first for _, first, last, _ in spans)
        deviation = np.sqrt(len(ids) * share * (1 - share))
        assert abs(kept - share * len(ids)) < 4 * deviation
