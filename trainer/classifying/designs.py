"""The features of texts: dense rows that are standardised on the way, or sparse ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.classifying.logistic import DoubleArray, Labels, log_losses, residuals
from trainer.kernels.vectors.sparse import times, transposed_times

BLOCK = 1 << 12
"""Rows that are worked on at a time, so that what is made of them stays small."""
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scale:
    """What makes each feature of a training have the mean 0 and the variance 1; float64 (n_features,) each."""

    mean: DoubleArray
    deviation: DoubleArray

    @classmethod
    def of(cls, features: FloatArray) -> Scale:
        """A feature that never changes is left as it is."""
        mean = features.mean(axis=0, dtype=np.float64)
        squares = np.zeros(features.shape[1])
        for start in range(0, len(features), BLOCK):
            squares += ((features[start : start + BLOCK] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(features))
        return cls(mean, np.where(deviation > 1e-7 * np.abs(mean).max(initial=1e-30), deviation, 1.0))


class Dense:
    """Rows of numbers, which are standardised block by block.

    Parameters
    ----------
    features : float32 (n_texts, n_features)
    scale : by which they are standardised, by default their own
    """

    def __init__(self, features: FloatArray, scale: Scale | None = None) -> None:
        self._features = features
        self.scale = scale or Scale.of(features)
        self._second_moments: DoubleArray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self._features.shape[0], self._features.shape[1]

    def loss(self, weights: DoubleArray, labels: Labels) -> tuple[float, DoubleArray]:
        total, gradient = 0.0, np.zeros_like(weights)
        for start in range(0, len(self._features), BLOCK):
            rows, wanted = self._rows(start), labels[start : start + BLOCK]
            losses, probabilities = log_losses(rows @ weights.T, wanted)
            total += float(losses.sum())
            gradient += residuals(probabilities, wanted).T @ rows
        return total, gradient

    def scores(self, weights: DoubleArray) -> DoubleArray:
        blocks = [self._rows(start) @ weights.T for start in range(0, len(self._features), BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(weights)))

    def scaled(self, penalty: float) -> Callable[[DoubleArray], DoubleArray]:
        """By p (1 - p) times the second moments of the features: the Hessian where all classes are as likely."""
        moments, inverses = self._moments(), dict[int, DoubleArray]()

        def scaled(gradient: DoubleArray) -> DoubleArray:
            n = max(len(gradient), 2)
            if n not in inverses:
                hessian = moments * (n - 1) / n**2 + (penalty + 1e-8) * np.eye(len(moments))
                inverses[n] = np.linalg.inv(hessian).astype(np.float64)
            return gradient @ inverses[n]

        return scaled

    def _moments(self) -> DoubleArray:
        if self._second_moments is None:
            moments = np.zeros((self.shape[1] + 1,) * 2)
            for start in range(0, len(self._features), BLOCK):
                rows = self._rows(start)
                moments += rows.T @ rows
            self._second_moments = moments / len(self._features)
        return self._second_moments

    def _rows(self, start: int) -> DoubleArray:
        """Standardised, with a 1 for the bias at the end."""
        block = self._features[start : start + BLOCK]
        rows = np.ones((len(block), block.shape[1] + 1))
        np.divide(block - self.scale.mean, self.scale.deviation, out=rows[:, :-1])
        return rows


@dataclass(frozen=True, eq=False)
class Sparse:
    """Rows of which few numbers are not 0.

    Parameters
    ----------
    offsets : int64 (n_texts + 1,), row ``i`` has the entries ``offsets[i]`` to before ``offsets[i + 1]``
    columns : int32 (n_entries,)
    values : float32 (n_entries,)
    n_features : more than any column
    """

    offsets: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    values: FloatArray
    n_features: int

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.offsets) - 1, self.n_features

    def loss(self, weights: DoubleArray, labels: Labels) -> tuple[float, DoubleArray]:
        losses, probabilities = log_losses(self.scores(weights), labels)
        rest = np.ascontiguousarray(residuals(probabilities, labels))
        gradient = np.zeros((self.n_features, len(weights)))
        transposed_times(self.offsets, self.columns, self.values, rest, gradient)
        return float(losses.sum()), np.concatenate([gradient.T, rest.sum(axis=0)[:, None]], axis=1)

    def scores(self, weights: DoubleArray) -> DoubleArray:
        out = np.empty((self.shape[0], len(weights)))
        times(self.offsets, self.columns, self.values, np.ascontiguousarray(weights[:, :-1].T), out)
        out += weights[:, -1]
        return out

    def scaled(self, penalty: float) -> Callable[[DoubleArray], DoubleArray]:
        """By p (1 - p) times the mean square of each feature."""
        squares = np.bincount(self.columns, self.values.astype(np.float64) ** 2, self.n_features) / self.shape[0]

        def scaled(gradient: DoubleArray) -> DoubleArray:
            n = max(len(gradient), 2)
            return gradient / (np.append(squares, 1.0) * (n - 1) / n**2 + penalty)

        return scaled

    def rows(self, places: npt.NDArray[np.int64]) -> Sparse:
        """These rows, in this order."""
        lengths = np.diff(self.offsets)[places]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        shifts = self.offsets[places] - offsets[:-1]
        entries = np.arange(offsets[-1]) + np.repeat(shifts, lengths)
        return Sparse(offsets, self.columns[entries], self.values[entries], self.n_features)
