"""Which words are likely to be neighbours: near words get into one panel, and panels that are near each other meet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.nearest import exact
from app.core.table.arrays import FloatArray
from trainer.publishing.candidates import PANEL, Regrouped
from trainer.steps.crew import Crew

Ids = npt.NDArray[np.int64]

BLOCK = 1 << 12
"""Rows that are projected at a time: a few MB, which stay in the cache."""
N_HALVED, ROUNDS = 1000, 4
"""The words that say where a group is cut, and how often they are asked."""
EVERY, VOTES = 4, 8
"""One of so many words of a panel says which panels are nearest to it, so many of them."""
N_TRIED, K_TRIED = 256, 10
"""The words whose nearest are looked for exactly, to know how many panels must meet, and how many of these."""
SCANS = 2
"""Parts a thread that words are scanned for in."""
FOUND = 0.9
"""The share of these that must lie in panels that meet."""


def grouped(unit_vectors: FloatArray, crew: Crew) -> Ids:
    """The words in an order by which those of each panel are near each other.

    Groups are cut in two along the line between the centres of two halves, until each is a panel.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim)
    crew : does the work
    """

    def halves(group: Ids) -> list[Ids]:
        if len(group) <= PANEL:
            return [group]
        line = _line(unit_vectors[group[evenly(len(group), N_HALVED)]])
        blocks = [group[start : start + BLOCK] for start in range(0, len(group), BLOCK)]
        places = np.concatenate([unit_vectors[block] @ line for block in blocks])
        order = np.argpartition(places, half := PANEL * max(1, round(len(group) / PANEL / 2)))
        return [group[order[:half]], group[order[half:]]]

    groups = [np.arange(len(unit_vectors))]
    while len(groups) < n_panels(len(unit_vectors)):
        groups = [half for halved in crew.in_order(halves, groups) for half in halved]
    return np.concatenate(groups)


def n_panels(n_words: int) -> int:
    return -(-n_words // PANEL)


def _line(some: FloatArray) -> FloatArray:
    """From the centre of one half of some vectors to that of the other: the halves that this line divides."""
    line: FloatArray = some[np.argmin(some @ some[0])] - some[0]
    for _ in range(ROUNDS):
        order = np.argsort(some @ line, kind="stable")
        line = some[order[len(some) // 2 :]].mean(axis=0) - some[order[: len(some) // 2]].mean(axis=0)
    return line


def evenly(n: int, wanted: int) -> Ids:
    """Up to `wanted` of the numbers below `n`, evenly."""
    return np.linspace(0, n - 1, min(n, wanted)).astype(np.int64)


def meetings(vectors: Regrouped, crew: Crew) -> npt.NDArray[np.bool_]:
    """Which panels meet which others, (n_panels, n_panels), both ways.

    Pairs of panels are ranked by how many of their words are near the other's centre. As many of them meet, the first
    ones first, as hold `FOUND` of the nearest of some words: a tenth of all for trained vectors, nearly all for vectors
    that have no order. Each panel meets at least one: there may be a single word in it.

    Parameters
    ----------
    vectors : in the order of `grouped`
    crew : does the work
    """
    count = n_panels(len(vectors))
    meet = np.zeros((count, count), bool)
    if count > 1:
        votes = _votes(vectors, crew)
        votes += votes.T
        first, second = np.nonzero(np.triu(votes, 1))
        ranked = np.argsort(-votes[first, second], kind="stable")
        first, second = first[ranked], second[ranked]
        needed = _needed(vectors, first, second, crew)
        meet[first[:needed], second[:needed]] = True
        np.fill_diagonal(votes, -1)
        meet[np.arange(count), votes.argmax(axis=1)] = True
    return meet | meet.T


def _needed(vectors: Regrouped, first: Ids, second: Ids, crew: Crew) -> int:
    """How many of these pairs of panels hold `FOUND` of the nearest of some words; all, if these do not."""
    words, k = evenly(len(vectors), N_TRIED), min(K_TRIED, len(vectors) - 1)
    found = nearest_of(vectors.unit_vectors, words, k, crew)
    panels = np.empty(len(vectors), np.int64)
    panels[vectors.order] = np.arange(len(vectors)) // PANEL
    rank = np.full((n_panels(len(vectors)),) * 2, len(first), np.int32)
    np.fill_diagonal(rank, -1)
    rank[first, second] = rank[second, first] = np.arange(len(first))
    ranks = np.sort(rank[np.repeat(panels[words], k), panels[found.ravel()]])
    return int(ranks[int(FOUND * len(ranks))]) + 1


def nearest_of(unit_vectors: FloatArray, words: Ids, k: int, crew: Crew) -> Ids:
    """The `k` nearest others of some words, by scans: int64 (len(words), k)."""
    parts = np.array_split(words, min(len(words), SCANS * crew.threads))
    found = crew.in_order(lambda part: exact.nearest_others(unit_vectors, part, k)[0], parts)
    return np.concatenate(list(found))


def _votes(vectors: Regrouped, crew: Crew) -> npt.NDArray[np.int16]:
    """How many words of each panel name each other one among the nearest, (n_panels, n_panels)."""
    panels = range(n_panels(len(vectors)))
    rows = [slice(panel * PANEL, (panel + 1) * PANEL) for panel in panels]
    centers = np.stack(list(crew.in_order(lambda panel: vectors[rows[panel]].mean(axis=0), panels)))
    centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    n_named = min(VOTES, len(panels) - 1)

    def named(panel: int) -> npt.NDArray[np.int16]:
        scores = vectors[rows[panel]][::EVERY] @ centers.T
        nearest = np.argpartition(-scores, n_named, axis=1)[:, :n_named]
        return np.bincount(nearest.ravel(), minlength=len(panels)).astype(np.int16)

    return np.stack(list(crew.in_order(named, panels)))
