from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.word2vec import huffman_cost
from trainer.kernels.word2vec.huffman import huffman_paths


def test_a_tree_small_enough_to_draw() -> None:
    """((c d) b) a: inner nodes 0, 1, 2 from the root to the bottom; a label is 1 towards the heavier child."""
    offsets, points, labels = huffman_paths(np.array([10, 4, 2, 1]))
    paths = [points[a:b].tolist() for a, b in pairwise(offsets)]
    assert paths == [[0], [0, 1], [0, 1, 2], [0, 1, 2]]
    codes = [labels[a:b].tolist() for a, b in pairwise(offsets)]
    assert len({tuple(code) for code in codes}) == 4
    assert codes[0] == [1.0]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=60))
def test_trees_are_optimal_and_prefix_free(counts: list[int]) -> None:
    counts = sorted(counts, reverse=True)
    offsets, points, labels = huffman_paths(np.array(counts))
    lengths = np.diff(offsets)
    assert sum(n * int(length) for n, length in zip(counts, lengths, strict=True)) == huffman_cost(counts)
    assert sum(2.0**-length for length in lengths.tolist()) == pytest.approx(1.0)
    codes = sorted("".join("01"[int(x)] for x in labels[a:b]) for a, b in pairwise(offsets))
    assert not any(b.startswith(a) for a, b in pairwise(codes))
    assert set(points.tolist()) == set(range(len(counts) - 1))
    assert set(points[offsets[:-1]].tolist()) == {0}, "every path starts at the root"


def test_deepest_tree() -> None:
    """Fibonacci counts make a list of a tree, deeper than the 40 levels that word2vec.c allots."""
    counts = [1, 1]
    while len(counts) < 60:
        counts.append(counts[-1] + counts[-2])
    offsets, _, _ = huffman_paths(np.array(counts[::-1]))
    assert int(np.diff(offsets).max()) == 59
