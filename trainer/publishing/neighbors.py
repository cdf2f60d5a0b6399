"""The exact nearest neighbours of the most frequent words, and what they say about hubs."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.core.nearest import exact
from app.core.table.arrays import Neighbors
from app.core.table.limits import N_NEIGHBORS, n_covered
from app.core.table.quantised import UnitVectors
from app.core.table.vocabulary import Vocabulary
from trainer.kernels.neighbors.products import rounded_off
from trainer.publishing.candidates import PANEL, Candidates, Packed
from trainer.publishing.leading import Led, leading_of
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, Report

HUB_NEIGHBORS = 10
N_HUBS = 10


def nearest_neighbors(unit_vectors: UnitVectors, *, threads: int, report: Report) -> Neighbors:
    """Compute the exact top `N_NEIGHBORS` of every word that the limits cover.

    A score serves both of its words, so only half of the pairs are multiplied. Products of integers propose candidates,
    among them all that can be answers, and these are scored as the service does it. So the result is the same for
    any order of the blocks and any number of threads.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous, or quantised
    threads : how many share the blocks
    report : told how far it is

    Returns
    -------
    Neighbors, ids int32 and scores float32 (n_covered, min(50, n_words - 1))
    """
    covered, k = n_covered(*unit_vectors.shape), min(N_NEIGHBORS, len(unit_vectors) - 1)
    n_panels = -(-len(unit_vectors) // PANEL)
    neighbors = Neighbors(np.empty((covered, k), np.int32), np.empty((covered, k), np.float32))
    strips = [strip(panel, n_panels) for panel in range(-(-covered // PANEL))]
    n_steps, done = sum(map(len, strips)) + 2 * len(strips), [0] * len(strips)

    def tell() -> None:
        report(Progress(fraction=sum(done) / n_steps))

    def offer_own(panel: int) -> None:
        candidates.offer_own(panel)
        done[panel] += 1

    def offer_strip(panel: int) -> None:
        for other in strips[panel]:
            if not crew.is_stopping:
                candidates.offer_block(panel, other)
                done[panel] += 1

    def rank(panel: int) -> None:
        rows, found = slice(panel * PANEL, (panel + 1) * PANEL), candidates.rank(panel)
        neighbors.ids[rows], neighbors.scores[rows] = found.ids, found.scores
        if len(found.given_up):  # whatever could be among their nearest is searched
            searched = exact.nearest_others(unit_vectors, found.given_up, k)
            neighbors.ids[found.given_up], neighbors.scores[found.given_up] = searched
        done[panel] += 1

    with exact.one_thread_a_scan(), Crew(threads, tell) as crew:
        candidates = Candidates(_packed(unit_vectors, k, crew), range(covered), k, threads)
        for work in (offer_own, offer_strip, rank):
            crew.on_each(work, range(len(strips)))
    tell()
    return neighbors


def _packed(unit_vectors: UnitVectors, k: int, crew: Crew) -> Packed:
    """The vectors as they are multiplied: turned, if some of their numbers say most."""
    if leading := leading_of(unit_vectors, k):
        return Led(unit_vectors, leading, crew)
    panels = range(0, len(unit_vectors), PANEL)
    return Packed(unit_vectors, max(rounded_off(unit_vectors[first : first + PANEL]) for first in panels))


def strip(panel: int, n_panels: int) -> list[int]:
    """The later panels, which a covered panel meets.

    Every other strip goes backwards, so that threads on strips beside each other seldom meet at the same panel.
    """
    later = range(panel + 1, n_panels)
    return list(reversed(later) if panel % 2 else later)


def hubness(neighbors: Neighbors, vocabulary: Vocabulary) -> dict[str, Any]:
    """How unevenly words occur as neighbours (Radovanovic et al. 2010).

    Counts how often each word is among the `HUB_NEIGHBORS` nearest of a covered word; `skewness` is the third
    standardised moment of these counts over all words, 0 for an even spread.
    """
    n_words = len(vocabulary)
    occurrences = np.bincount(neighbors.ids[:, :HUB_NEIGHBORS].ravel(), minlength=n_words)
    centered = occurrences - occurrences.mean()
    deviation = float(np.sqrt((centered**2).mean()))
    top = np.lexsort((np.arange(n_words), -occurrences))[:N_HUBS]
    return {
        "k": min(HUB_NEIGHBORS, neighbors.ids.shape[1]),
        "skewness": round(float((centered**3).mean()) / deviation**3, 4) if deviation else 0.0,
        "never_a_neighbor": int(np.count_nonzero(occurrences == 0)),
        "hubs": [{"word": vocabulary.word(i), "count": int(occurrences[i])} for i in top.tolist() if occurrences[i]],
    }
