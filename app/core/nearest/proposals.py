"""Which words are worth an exact score: products of float32 leave out only what cannot be among the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.nearest import scores
from app.core.nearest.scores import DoubleArray, FloatArray
from app.core.table.quantised import UnitVectors
from app.core.table.quantised import products as products_of

LARGEST_GROUP = 64
GROUPS_PER_ANSWER = 8
"""So many groups of words for each of the k answers let the best of each group tell which words are worth a look."""
FEW = 16
"""At most one of so many words: taking their vectors out of the table costs less than a pass over all."""
LEAST = -2.0
"""Below every cosine; the product of what may not be found is below this."""

IdArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Which words may be found: the first `n_first`, or of them those that `ids` names, each once and in any order."""

    n_first: int
    ids: npt.NDArray[np.integer[Any]] | None = None

    def named(self) -> IdArray | None:
        """The words one by one; None if it is the first ones."""
        if self.ids is None:
            return None if self.n_first else np.zeros(0, np.int64)
        return self.ids[self.ids < self.n_first].astype(np.int64)


def proposed(
    unit_vectors: UnitVectors, directions: DoubleArray, k: int, allowed: Sequence[Allowed | None]
) -> tuple[IdArray, IdArray]:
    """Pairs of a direction and a word, among them the `k` best words of every direction that it may find.

    Parameters are those of `app.core.nearest.exact.nearest`.
    """
    n_words, slack = len(unit_vectors), scores.slack(unit_vectors.shape[1])
    of_each = [each or Allowed(n_words) for each in allowed] or [Allowed(n_words)] * len(directions)
    named = {i: ids for i, each in enumerate(of_each) if (ids := each.named()) is not None}
    few = [i for i, ids in named.items() if len(ids) * FEW <= n_words]
    many = [i for i in named if i not in few]
    candidates = [
        _worth_a_look(unit_vectors[named[i]] @ directions[i].astype(np.float32), named[i], k, slack) for i in few
    ]
    queries = [np.full(len(ids), i) for i, ids in zip(few, candidates, strict=True)]
    if scanned := [i for i in range(len(directions)) if i not in named] + many:
        n_first = [of_each[i].n_first for i in scanned]
        columns, ids = _scanned(unit_vectors, directions[scanned], k, n_first, [named[i] for i in many])
        queries.append(np.array(scanned)[columns])
        candidates.append(ids)
    return np.concatenate(queries), np.concatenate(candidates)


def _worth_a_look(products: FloatArray, ids: IdArray, k: int, slack: float) -> IdArray:
    """Those of the words whose products are among the `k` largest, or may be."""
    if len(ids) <= k:
        return ids
    kept: IdArray = ids[products >= np.partition(products, len(ids) - k)[len(ids) - k] - slack]
    return kept


def _scanned(
    unit_vectors: UnitVectors,
    directions: DoubleArray,
    k: int,
    n_first: Sequence[int],
    among: Sequence[IdArray],
) -> tuple[IdArray, IdArray]:
    """The same by one pass over the words: directions that find the `n_first`, and then those of words to be `among`.

    The words are dealt out into groups. Of the groups' largest products, the k-th largest is a bound that k words
    reach, each in a group of its own; so no word below the bound, less the slack of float32, is among the answers. Few
    words reach it, and they lie in few groups.
    """
    slack, n_directions = scores.slack(unit_vectors.shape[1]), len(directions)
    if isinstance(unit_vectors, np.ndarray):  # the rest is of no use to anybody
        unit_vectors = unit_vectors[: max(n_first)]
    n_words = len(unit_vectors)
    n_in_group = min(max(n_words // (GROUPS_PER_ANSWER * k), 1), LARGEST_GROUP)
    n_groups = -(-n_words // n_in_group)
    products = np.empty((n_in_group * n_groups, n_directions), np.float32)
    # several times faster than its transpose: BLAS walks the long table once, in the order in which it lies
    products_of(unit_vectors, directions.astype(np.float32).T, products[:n_words])
    products[n_words:] = -np.inf
    n_free = n_directions - len(among)
    found = [_worth_a_look(products[ids, column], ids, k, slack) for column, ids in enumerate(among, n_free)]
    queries = np.repeat(np.arange(n_free, n_directions), [len(ids) for ids in found])
    if not n_free:
        return queries, np.concatenate(found)
    for column, n in enumerate(n_first[:n_free]):
        products[n:n_words, column] = -np.inf
    # word i is in group i modulo n_groups, so that the maxima are taken of whole rows of memory
    grouped = products.reshape(n_in_group, n_groups, n_directions)[:, :, :n_free]
    largest = grouped.max(axis=0)
    kth = max(n_groups - k, 0)
    bounds = np.maximum(np.partition(largest, kth, axis=0)[kth] - slack, LEAST)
    groups, columns = np.nonzero(largest >= bounds)
    places, pairs = np.nonzero(grouped[:, groups, columns] >= bounds[columns])
    return (
        np.concatenate([columns[pairs], queries]),
        np.concatenate([places * n_groups + groups[pairs], *found]),
    )
