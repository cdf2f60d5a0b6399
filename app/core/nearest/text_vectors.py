"""Vectors of texts: the smoothed inverse frequency mean of Arora, Liang and Ma (2017)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SMOOTHING = 1e-3
TEXT_WORDS = 10
"""The component is fitted to texts of this many words."""
BLOCK = 1 << 11
"""Words that are worked on at a time: a table may take most of the memory, and new pages take longer than the work."""


def word_weights(counts: npt.NDArray[np.int64], n_tokens: int) -> npt.NDArray[np.float64]:
    """a / (a + p(word)) with a = `SMOOTHING`; float64, shape of `counts`."""
    return SMOOTHING / (SMOOTHING + counts / n_tokens)


def text_component(vectors: npt.NDArray[np.float32], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Fit the direction that text vectors have in common and that is taken out of each.

    The paper takes the first singular vector of a sample of texts. This takes that of the expectation: the largest
    eigenvector of E[s s^T], where s is the weighted mean of n words drawn by frequency, which is
    E[s s^T] = E[x x^T] / n + (1 - 1/n) E[x] E[x]^T with x = weight * vector. No sample, no seed.

    Parameters
    ----------
    vectors : float32 (n_words, dim), as trained
    counts : int64 (n_words,)

    Returns
    -------
    float32 (dim,), length 1, its largest element positive
    """
    n_tokens = int(counts.sum())
    frequencies = counts / n_tokens
    weights = word_weights(counts, n_tokens)
    largest = max(vectors.max(), -vectors.min())  # dividing by it, the direction stays and no square overflows float32
    mean, second_moment = np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), BLOCK):
        block = slice(start, start + BLOCK)
        part = vectors[block] / largest
        mean += (frequencies[block] * weights[block]) @ part
        scaled = (np.sqrt(frequencies[block]) * weights[block]).astype(np.float32)[:, None] * part
        second_moment += scaled.T @ scaled
    expected = second_moment / TEXT_WORDS + (1 - 1 / TEXT_WORDS) * np.outer(mean, mean)
    component = np.linalg.eigh(expected)[1][:, -1]
    component *= np.sign(component[np.argmax(np.abs(component))])
    return component.astype(np.float32)
