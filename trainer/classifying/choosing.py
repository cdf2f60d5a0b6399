"""Which texts train and which are held out, and how strong the penalty is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from trainer.classifying.logistic import Design, DoubleArray, Labels, fit, log_losses

N_FOLDS = 5
MAX_CHOOSING = 20_000
"""Training texts by which C is chosen: with more of them it hardly matters."""
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
TFIDF_GRID = (1.0, 10.0, 100.0)
Places = npt.NDArray[np.int64]


def split(labels: Labels, held_out: float, seed: int) -> tuple[Places, Places]:
    """Training and held-out texts, of each class the same share, in an order drawn by the seed.

    Parameters
    ----------
    labels : int64 (n,), classes
    held_out : share, above 0 and below 1; of each class at least one text is on either side
    seed : of the order
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    places = np.empty(len(labels), np.int64)
    sizes = np.bincount(labels)
    for label, size in enumerate(sizes):
        places[order[labels[order] == label]] = np.arange(size)
    n_held_out = np.clip(np.rint(held_out * sizes), 1, sizes - 1)
    # the last of each class, so that the first of the training, which a learning curve takes, have the shares of all
    is_held_out = places[order] >= (sizes - n_held_out)[labels[order]]
    return order[~is_held_out], order[is_held_out]


def folds(labels: Labels, n: int = N_FOLDS) -> Places:
    """The fold of each text, of each class as many in each; texts must be in a random order."""
    found = np.empty(len(labels), np.int64)
    for label in range(labels.max() + 1):
        places = np.flatnonzero(labels == label)
        found[places] = np.arange(len(places)) % n
    return found


def choose_c(
    design_of: Callable[[Places], Design],
    labels: Labels,
    n_classes: int,
    grid: Sequence[float],
    n_folds: int = N_FOLDS,
) -> float:
    """The C of the smallest loss on texts that were left out, of five folds.

    Parameters
    ----------
    design_of : the features of texts by their places, standardised by the training alone
    labels : int64 (n,), classes, in a random order
    n_classes : of all
    grid : rising
    n_folds : how many of the five are looked at
    """
    labels = labels[:MAX_CHOOSING]
    fold = folds(labels)
    losses = np.zeros(len(grid))
    for i in range(n_folds):
        training, rest = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        if not len(rest):
            continue
        inside, outside = design_of(training), design_of(rest)
        weights: DoubleArray | None = None
        for place, c in enumerate(grid):
            weights = fit(inside, labels[training], n_classes, c, start=weights, tolerance=1e-4)
            losses[place] += log_losses(outside.scores(weights), labels[rest])[0].sum()
    return float(grid[int(losses.argmin())])
