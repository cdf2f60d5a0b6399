"""Senses of a word: clusters of the graph of its neighbours.

The nearest words are the nodes; two of them are linked if one is among the `N_LINKS` nearest of the other in the whole
vocabulary, by their cosine. Chinese Whispers (Biemann 2006) clusters the graph, as in Pelevina et al. (2016): each node
takes the label that has the heaviest links to it. Theirs visits nodes at random; this one visits the nearest first and
keeps a label unless another one is heavier, so that the same version always gives the same senses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.nearest import scores
from app.core.nearest.scores import DECIMALS, DoubleArray
from app.core.table.manifest import GraphSearch
from app.core.table.vocabulary import WordId
from app.serving.index import fetch_size
from app.serving.version import ServedVersion

N_LINKS = 50
"""As many as are stored of a word."""
MIN_WORDS = 3
"""Smaller clusters are chance and left out."""
MAX_SWEEPS = 100

IdArray = npt.NDArray[np.int64]


class Found(NamedTuple):
    """The senses, and whether all that was needed of the neighbours was stored."""

    senses: list[dict[str, Any]]
    is_stored: bool


def senses(version: ServedVersion, word_id: WordId, k: int, graph: GraphSearch | None) -> Found:
    """The senses that the `k` nearest words show, the largest first; words that point away from it show none."""
    ego_ids, ego_scores, is_stored = _nearest(version, np.array([word_id]), k, graph)
    is_near = ego_scores[0] > 0
    ids, near = ego_ids[0][is_near], ego_scores[0][is_near]
    if not len(ids):
        return Found([], is_stored)
    linked_ids, linked_scores, all_stored = _nearest(version, ids, N_LINKS, graph)
    labels = whispers(_links(ids, linked_ids, linked_scores))
    names, sizes = np.unique(labels, return_counts=True)
    large = names[sizes >= MIN_WORDS]
    members = [np.flatnonzero(labels == name) for name in large] or [np.arange(len(ids))]
    members.sort(key=lambda places: (-len(places), places[0]))
    return Found([_told(version, ids[places], near[places], len(ids)) for places in members], is_stored and all_stored)


def whispers(links: DoubleArray) -> IdArray:
    """Label the nodes of a graph.

    Parameters
    ----------
    links : float64 (n, n), symmetric, at least 0; nodes are visited in the order of the rows

    Returns
    -------
    int64 (n,), equal for the nodes of one cluster
    """
    labels = np.arange(len(links))
    for _ in range(MAX_SWEEPS):
        before = labels.copy()
        for node, own in enumerate(links):
            weights = np.bincount(labels, own, minlength=len(links))
            heaviest = int(weights.argmax())
            if weights[heaviest] > weights[labels[node]]:
                labels[node] = heaviest
        if (labels == before).all():
            break
    return labels


def _links(ids: IdArray, linked_ids: IdArray, linked_scores: DoubleArray) -> DoubleArray:
    """Cosines of the nodes of which one is among the nearest of the other, 0 elsewhere; float64 (n, n)."""
    order = np.argsort(ids)
    places = order[np.minimum(np.searchsorted(ids, linked_ids, sorter=order), len(ids) - 1)]
    rows, columns = np.nonzero((ids[places] == linked_ids) & (linked_scores > 0))
    links = np.zeros((len(ids), len(ids)))
    links[rows, places[rows, columns]] = linked_scores[rows, columns]
    return np.maximum(links, links.T)


def _nearest(
    version: ServedVersion, ids: IdArray, k: int, graph: GraphSearch | None
) -> tuple[IdArray, DoubleArray, bool]:
    """Nearest words of words and their cosines, (n, k) each: those that are stored, else found; and whether all were.

    Where there are fewer, the last ids are -1.
    """
    stored = version.table.neighbors
    k = min(k, len(version.table.unit_vectors) - 1)
    found_ids, found_scores = np.full((len(ids), k), -1, np.int64), np.full((len(ids), k), -np.inf)
    is_stored = (ids < len(stored.ids)) & (k <= stored.ids.shape[1])
    if is_stored.any():
        found_ids[is_stored] = stored.ids[ids[is_stored], :k]
        found_scores[is_stored] = np.round(stored.scores[ids[is_stored], :k].astype(np.float64), DECIMALS)
    for row in np.flatnonzero(~is_stored).tolist():
        direction = version.table.unit_vectors[ids[row]].astype(np.float64)
        near_ids, near = version.index.nearest(direction[None], fetch_size(k + 1), graph)
        others = np.flatnonzero((near_ids[0] != ids[row]) & (near_ids[0] >= 0))[:k]
        found_ids[row, : len(others)] = near_ids[0, others]
        found_scores[row, : len(others)] = near[0, others]
    return found_ids, found_scores, bool(is_stored.all())


def _told(version: ServedVersion, ids: IdArray, near: DoubleArray, n_neighbors: int) -> dict[str, Any]:
    """A sense as it is answered; its direction is the mean of its words by their cosines to the word that was asked."""
    direction = scores.direction(version.table.unit_vectors[ids], near)
    if direction is None:
        raise AssertionError("cosines above zero do not cancel out")
    return {
        "share": round(len(ids) / n_neighbors, 4),
        "words": [
            {"word": version.lookup.word(i), "score": score}
            for i, score in zip(ids.tolist(), near.tolist(), strict=True)
        ],
        "vector": direction.astype(np.float32).tolist(),
    }
