"""What a GloVe training that goes on from known words starts with, and what holds those in their place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.arrays import FloatArray
from trainer.algorithms.algorithm import Start
from trainer.kernels.rows import padded
from trainer.steps.arrays import Integers

WORDS, CONTEXTS, BIASES = "word_vectors", "context_vectors", "biases"
IMMOVABLE = 1e38
"""A squared gradient beside which AdaGrad's steps vanish; near the largest float32."""


class Anchors:
    """Where the vectors of known words were, and how strongly each is drawn back there.

    Parameters
    ----------
    start : Start
    parameters : float32 (n_rows, row_width), as `initialise` leaves them; the rows of known words are overwritten
    places : int64 (n_words,), each word's row in `parameters`
    chosen : GloVeHyperparameters
    """

    def __init__(self, start: Start, parameters: FloatArray, places: Integers, chosen: GloVeHyperparameters) -> None:
        self._start, self._rows, self._n_words = start, places[start.ids], len(places)
        dim, size = chosen.dim, padded(chosen.dim)
        self._anchors: list[tuple[slice, FloatArray]] = []
        self._squares: list[slice] = []
        for first, vectors in zip((0, 2 * size), _both(start, chosen), strict=True):
            if vectors is None:  # they are fitted anew, and nothing holds them
                continue
            side = slice(first, first + dim)
            parameters[self._rows, side] = vectors
            self._anchors.append((side, parameters[self._rows, side]))
            self._squares.append(slice(first + size, first + 2 * size))
        if start.others:
            biases = start.others[BIASES].copy()
            biases[:, 1::2] = np.maximum(biases[:, 1::2], 1)  # squares begin so, also those of words that have none
            parameters[self._rows, 4 * size : 4 * size + 4] = biases
        self.freeze(parameters, start.is_frozen)

    def freeze(self, parameters: FloatArray, which: npt.NDArray[np.bool_]) -> None:
        """Make the vectors of some known words immovable, and those of the others movable as at the beginning."""
        for squares in self._squares:
            parameters[self._rows, squares] = np.where(which, np.float32(IMMOVABLE), np.float32(1))[:, None]

    def restore(self, parameters: FloatArray) -> None:
        """Put all known words where they were."""
        for side, anchors in self._anchors:
            parameters[self._rows, side] = anchors
        self.freeze(parameters, self._start.is_frozen)

    def hold(self, parameters: FloatArray) -> None:
        """Draw known words back after an epoch, and set those that are frozen.

        Each vector goes where ``strength * share * |w - anchor|**2 / 2`` and half the square of its way there are
        least together (a proximal step).
        """
        start = self._start
        left = np.where(start.is_frozen, 0, 1 / (1 + start.anchor_strength * start.shares)).astype(np.float32)[:, None]
        for side, anchors in self._anchors:
            parameters[self._rows, side] = anchors + (parameters[self._rows, side] - anchors) * left

    def is_kept(self, parameters: FloatArray) -> npt.NDArray[np.bool_]:
        """Which words are known and have the vectors that they had; bool (n_words,)."""
        is_same = [(parameters[self._rows, side] == anchors).all(axis=1) for side, anchors in self._anchors]
        is_kept = np.zeros(self._n_words, np.bool_)
        is_kept[self._start.ids] = np.logical_and.reduce(is_same)
        return is_kept


def _both(start: Start, chosen: GloVeHyperparameters) -> tuple[FloatArray | None, FloatArray | None]:
    """Word and context vectors; of a sum that is all there is, half for each."""
    published, others = start.vectors, start.others
    if chosen.output == "word":
        return published, others[CONTEXTS] if others else None
    if chosen.output == "context":
        return others[WORDS] if others else None, published
    contexts: FloatArray = others[CONTEXTS] if others else published * np.float32(0.5)
    return published - contexts, contexts
