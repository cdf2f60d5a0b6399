"""Huffman codes for hierarchical softmax as flat arrays."""

import numpy as np
import numpy.typing as npt
from numba import njit

from trainer.kernels.options import COMPILED


def huffman_paths(
    counts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The path from the root to each word in a Huffman tree, and what each inner node on it must predict.

    Parameters
    ----------
    counts : int64 (n_words,), n_words >= 2, non-increasing

    Returns
    -------
    offsets : int64 (n_words + 1,), word i's path is ``points[offsets[i]:offsets[i + 1]]``
    points : int32, inner nodes 0..n_words - 2 by falling weight, as words are; the root is 0
    labels : float32, 1 where the path goes to the more frequent child (bit 0), else 0: word2vec.c's ``1 - code``
    """
    n_words = len(counts)
    parents = np.zeros(2 * n_words - 1, np.int64)
    bits = np.zeros(2 * n_words - 1, np.uint8)
    _fill_tree(counts, np.zeros(n_words - 1, np.int64), parents, bits)
    offsets = np.zeros(n_words + 1, np.int64)
    _fill_lengths(parents, offsets)
    points = np.empty(offsets[-1], np.int32)
    labels = np.empty(offsets[-1], np.float32)
    _fill_paths(parents, bits, offsets, points, labels)
    return offsets, points, labels


@njit(**COMPILED)
def _fill_tree(counts, sums, parents, bits):
    """Join the two lightest nodes until one is left; words and inner nodes are two queues that are sorted already."""
    n_words = len(counts)
    word, inner = n_words - 1, 0
    for made in range(n_words - 1):
        total = np.int64(0)
        for child in range(2):
            if word >= 0 and (inner >= made or counts[word] <= sums[inner]):
                node = word
                total += counts[word]
                word -= 1
            else:
                node = n_words + inner
                total += sums[inner]
                inner += 1
            parents[node] = made
            bits[node] = 1 - child
        sums[made] = total


@njit(**COMPILED)
def _fill_lengths(parents, offsets):
    n_words = len(offsets) - 1
    for word in range(n_words):
        length = 1
        node = parents[word]
        while node < n_words - 2:
            node = parents[n_words + node]
            length += 1
        offsets[word + 1] = offsets[word] + length


@njit(**COMPILED)
def _fill_paths(parents, bits, offsets, points, labels):
    n_words = len(offsets) - 1
    for word in range(n_words):
        node = word
        for place in range(offsets[word + 1] - 1, offsets[word] - 1, -1):
            points[place] = n_words - 2 - parents[node]
            labels[place] = 1 - bits[node]
            node = n_words + parents[node]
