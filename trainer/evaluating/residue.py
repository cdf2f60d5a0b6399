"""What readers still find of a bias: the tests of Gonen and Goldberg (2019), on the words that were most biased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.evaluation.residue import READERS, Residual, ResidualBias, ResidualTest
from app.core.table.arrays import FloatArray
from trainer.evaluating.support_vectors import Flags, Floats, Kernel, fit, kernel_of

MOST_WORDS = 50_000
"""The most frequent words, as in the paper."""
N_CLUSTERED, N_PROBED = 500, 2500
"""Words of each side; where there are few words, a twentieth and an eighth of them."""
FEWEST_CLUSTERED, FEWEST_PROBED = 20, 100
TRAINED_SHARE = 5
"""A probe learns from a fifth of its words."""
N_DRAWS, N_STARTS, MOST_ROUNDS = 3, 10, 100
N_NEIGHBORS, FEWEST_TARGETS, MOST_TARGETS = 100, 20, 10_000
TARGETS_AT_ONCE = 512
PROBES: dict[ResidualTest, Kernel] = {"linear_probe": "linear", "rbf_probe": "rbf", "scaled_rbf_probe": "rbf"}
Ids = npt.NDArray[np.int64]


class Spaces(NamedTuple):
    """The same words before and after: float32 (n_words, dim) each, of length 1, the most frequent first."""

    before: FloatArray
    after: FloatArray


def residual_bias(name: str, spaces: Spaces, direction: Floats, left_out: Ids, targets: Ids) -> ResidualBias:
    """Ask all readers.

    Parameters
    ----------
    name : of the direction
    spaces : Spaces
    direction : float64 (dim,), of the vectors before; what words have along it is their bias
    left_out : int64 (n,), words that define the bias or keep it
    targets : int64 (n,), words whose neighbours are looked at, such as professions

    Returns
    -------
    ResidualBias
    """
    pool = np.setdiff1d(np.arange(len(spaces.before)), left_out)[:MOST_WORDS]
    bias = spaces.before[pool].astype(np.float64) @ direction
    order = pool[np.argsort(-bias, kind="stable")]
    tests = [
        _clusters(spaces, order),
        *_probes(spaces, order),
        _neighbors("neighbors", spaces, pool, bias, np.flatnonzero(np.isin(pool, targets))),
        _neighbors("all_neighbors", spaces, pool, bias, np.arange(0, len(pool), -(-len(pool) // MOST_TARGETS))),
    ]
    return ResidualBias(direction=name, n_words=len(pool), tests=tests)


def _result(test: ResidualTest, n: int, found: Sequence[float], n_trained: int = 0) -> Residual:
    values = [None if np.isnan(each) else round(float(each), 4) for each in found] or [None, None]
    return Residual(
        test=test,
        reader=READERS[test],
        metric="pearson" if test in {"neighbors", "all_neighbors"} else "accuracy",
        n=n,
        n_trained=n_trained,
        before=values[0],
        after=values[1],
        note=None if found else "too few words",
    )


def _sides(order: Ids, n: int) -> tuple[Ids, Flags]:
    """The first and the last `n`, and which of them are the first."""
    return np.concatenate([order[:n], order[::-1][:n]]), np.arange(2 * n) < n


def _clusters(spaces: Spaces, order: Ids) -> Residual:
    n = min(N_CLUSTERED, len(order) // 20)
    if n < FEWEST_CLUSTERED:
        return _result("clusters", 2 * n, [])
    ids, is_first = _sides(order, n)
    return _result("clusters", 2 * n, [cluster_accuracy(rows[ids].astype(np.float64), is_first) for rows in spaces])


def cluster_accuracy(rows: Floats, is_first: Flags) -> float:
    """How well two clusters agree with two classes: k-means, the best of `N_STARTS` by the sum of squares.

    Parameters
    ----------
    rows : float64 (n, dim)
    is_first : bool (n,)
    """
    generator = np.random.default_rng(0)
    best, found = np.inf, is_first
    for _ in range(N_STARTS):
        means = rows[generator.choice(len(rows), 2, replace=False)]
        in_first = np.zeros(len(rows), bool)
        for _ in range(MOST_ROUNDS):
            apart, middle = means[0] - means[1], (means[0] + means[1]) / 2
            now = (rows - middle) @ apart > 0
            if (now == in_first).all() or now.all() or not now.any():
                break
            in_first, means = now, np.stack([rows[now].mean(axis=0), rows[~now].mean(axis=0)])
        squares = float(((rows - np.where(in_first[:, None], means[0], means[1])) ** 2).sum())
        if squares < best:
            best, found = squares, in_first
    accuracy = float((found == is_first).mean())
    return max(accuracy, 1 - accuracy)


def _probes(spaces: Spaces, order: Ids) -> list[Residual]:
    n = min(N_PROBED, len(order) // 8)
    n_trained = n // TRAINED_SHARE
    if n < FEWEST_PROBED:
        return [_result(test, 0, []) for test in PROBES]
    ids, is_first = _sides(order, n)
    found: dict[ResidualTest, list[float]] = {test: [] for test in PROBES}
    for rows in (space[ids].astype(np.float64) for space in spaces):
        gammas = {"rbf_probe": 1 / rows.shape[1], "scaled_rbf_probe": 1 / (rows.shape[1] * rows.var())}
        for test, kind in PROBES.items():
            draws = [probe_accuracy(rows, is_first, n_trained, kind, gammas.get(test, 1.0), s) for s in range(N_DRAWS)]
            found[test].append(float(np.mean(draws)))
    return [_result(test, 2 * (n - n_trained), values, 2 * n_trained) for test, values in found.items()]


def probe_accuracy(rows: Floats, is_first: Flags, n_trained: int, kind: Kernel, gamma: float, seed: int) -> float:
    """Of a machine that has learned from `n_trained` rows of each class, on all others.

    Parameters
    ----------
    rows : float64 (n, dim)
    is_first : bool (n,)
    n_trained : fewer than each class has
    kind, gamma : of the kernel
    seed : of the draw
    """
    generator = np.random.default_rng(seed)
    sides = [generator.permutation(np.flatnonzero(is_first == side)) for side in (True, False)]
    trained = np.concatenate([side[:n_trained] for side in sides])
    asked = np.concatenate([side[n_trained:] for side in sides])
    machine = fit(kernel_of(kind, rows[trained], rows[trained], gamma), is_first[trained])
    said = kernel_of(kind, rows[asked], rows[trained], gamma) @ machine.coefficients + machine.offset > 0
    return float((said == is_first[asked]).mean())


def _neighbors(test: ResidualTest, spaces: Spaces, pool: Ids, bias: Floats, targets: Ids) -> Residual:
    k = min(N_NEIGHBORS, len(pool) // 10)
    if len(targets) < FEWEST_TARGETS or not k:
        return _result(test, len(targets), [])
    return _result(test, len(targets), [_correlation(rows[pool], bias, targets, k) for rows in spaces])


def _correlation(rows: FloatArray, bias: Floats, targets: Ids, k: int) -> float:
    often = np.empty(len(targets), np.int64)
    for start in range(0, len(targets), TARGETS_AT_ONCE):
        part = targets[start : start + TARGETS_AT_ONCE]
        cosines = rows[part] @ rows.T
        cosines[np.arange(len(part)), part] = -np.inf
        nearest = np.argpartition(cosines, -k, axis=1)[:, -k:]
        often[start : start + len(part)] = (bias[nearest] > 0).sum(axis=1)
    if not often.std() or not bias[targets].std():
        return float("nan")
    return float(np.corrcoef(bias[targets], often)[0, 1])
