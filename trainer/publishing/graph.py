"""A graph to search a table by: layers of links, as HNSW has them (Malkov and Yashunin 2018), made of near words."""

from __future__ import annotations

from typing import Any, cast

import faiss
import numpy as np
import numpy.typing as npt

from app.core.costs.publishing import GRAPH_WORDS
from app.core.nearest import exact
from app.core.nearest.graph import share
from app.core.table.arrays import FloatArray
from trainer.kernels.neighbors.linking import add_far, link, link_both_ways, link_lost, reversed_links
from trainer.kernels.neighbors.products import most_rounded_off
from trainer.publishing.candidates import PANEL, Candidates, Found, Packed, Regrouped
from trainer.publishing.grouping import grouped, meetings
from trainer.steps.crew import Crew
from trainer.steps.progress import Progress, Report

LINKS = 16
"""Of a word on an upper layer; on the lowest one it has up to twice as many. Half of them are to words near to it."""
NEIGHBORS = 48
"""Near words among which links are chosen."""
AT_A_TIME = GRAPH_WORDS // PANEL
"""Panels whose words have candidates at a time: a score of two of which one is not there is computed twice."""
STEP = 4
"""One of so many words of a layer is on the next one, too."""
EF_CONSTRUCTION = 100
WORDS_AT_A_TIME = 5_000

Parameters = dict[str, int | float | str]
LINKED: Parameters = {"links": LINKS, "neighbors": NEIGHBORS}
INSERTED: Parameters = {"links": LINKS, "ef_construction": EF_CONSTRUCTION}
"""Of graphs that are built by `linked`, and of those that were built by `inserted`."""

Links = npt.NDArray[np.int32]
Ids = npt.NDArray[np.int64]


def parameters_like(told: Parameters) -> Parameters:
    """Those by which a graph is built again, of which a version tells these."""
    return INSERTED if "ef_construction" in told else LINKED


def build(
    unit_vectors: FloatArray, report: Report, *, threads: int, parameters: Parameters = LINKED
) -> faiss.IndexHNSWFlat:
    """Build a graph, from the same vectors the same one for any number of threads.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), at least one word
    report : told how far it is
    threads : how many build it
    parameters : `LINKED` or `INSERTED`
    """
    faiss.omp_set_num_threads(threads)
    if parameters == INSERTED:
        return inserted(unit_vectors, report)
    return linked(unit_vectors, report, threads=threads)


def linked(unit_vectors: FloatArray, report: Report, *, threads: int) -> faiss.IndexHNSWFlat:
    """Link near words, on each layer by itself; parameters as of `build`.

    The nearest of a word are looked for in blocks of scores, as for the neighbour table, but only of groups of words
    that are near each other: most are found, which is enough for a graph. The lowest layer takes nearly all the time.
    """
    steps = [1]
    while steps[-1] * LINKS < len(unit_vectors):
        steps.append(steps[-1] * STEP)
    done = [0.0]  # of the lowest layer
    with exact.one_thread_a_scan(), Crew(threads, lambda: report(Progress(fraction=min(done[0], 1.0)))) as crew:
        layers: list[Links] = []
        for step in reversed(steps):
            most, told = (LINKS, [0.0]) if step > 1 else (2 * LINKS, done)
            links = _Layer(np.ascontiguousarray(unit_vectors[::step]), most, crew, told).links()
            if layers:
                add_far(links, STEP, STEP * layers[-1][:, : links.shape[1] // 2])
            link_lost(links)
            layers.append(links)
    report(Progress(fraction=1.0))
    return _assembled(unit_vectors, layers[::-1])


class _Layer:
    """The links of the words of a layer.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), C-contiguous
    most : links of a word
    crew : does the work
    done : grows to 1 meanwhile
    """

    def __init__(self, unit_vectors: FloatArray, most: int, crew: Crew, done: list[float]) -> None:
        self._vectors, self._most = Regrouped(unit_vectors, grouped(unit_vectors, crew)), most
        self._panels = [self._vectors.order[start : start + PANEL] for start in range(0, len(unit_vectors), PANEL)]
        # not what is rounded off these: who has too many near ties is linked otherwise, and graphs must come out again
        self._packed = Packed(self._vectors, most_rounded_off(unit_vectors.shape[1]))
        self._meet = meetings(self._vectors, crew)
        self._links = np.empty((len(unit_vectors), most // 2), np.int32)
        self._crew, self._done = crew, done

    def links(self) -> Links:
        """Int32 (n_words, most), -1 at the end where there are fewer: half of them to words near to it, half from."""
        for first in range(0, len(self._panels), AT_A_TIME):
            self._link_near(range(first, min(first + AT_A_TIME, len(self._panels))))
        offsets, linking = reversed_links(self._links)
        both, vectors = np.empty((len(self._links), self._most), np.int32), self._vectors.unit_vectors
        self._crew.on_each(
            lambda words: link_both_ways(vectors, words, self._links, offsets, linking, both), self._panels
        )
        return both

    def _link_near(self, panels: range) -> None:
        """Link the words of some panels to words near them."""
        n_words = len(self._vectors)
        words = range(panels.start * PANEL, min(panels.stop * PANEL, n_words))
        candidates = Candidates(self._packed, words, min(NEIGHBORS, n_words - 1), self._crew.threads)

        def offer_met(panel: int) -> None:
            met = [other for other in np.flatnonzero(self._meet[panel]) if other > panel or other not in panels]
            for other in reversed(met) if panel % 2 else met:
                if not self._crew.is_stopping:
                    candidates.offer_block(panel, int(other))
            self._done[0] += 1 / len(self._panels)

        def link_panel(panel: int) -> None:
            found = candidates.rank(panel)
            if len(found.given_up):
                _search_panel(self._vectors, panel, found)
            near = np.where(found.ids >= 0, self._vectors.order[found.ids], -1).astype(np.int32)
            link(self._vectors.unit_vectors, self._panels[panel], near, self._links)

        for work in (candidates.offer_own, offer_met, link_panel):
            self._crew.on_each(work, panels)


def _search_panel(vectors: Regrouped, panel: int, found: Found) -> None:
    """Find the nearest in their own panel, of words that have too many alike."""
    first = panel * PANEL
    own, rows = vectors[first : first + PANEL], found.given_up - first
    k = min(found.ids.shape[1], len(own) - 1)
    found.ids[rows, :k] = first + exact.nearest_others(own, rows, k)[0]


def _assembled(unit_vectors: FloatArray, layers: list[Links]) -> faiss.IndexHNSWFlat:
    """The graph as FAISS keeps it: of each word the links of the lowest layer, those of the next one, and so on."""
    index: Any = faiss.IndexHNSWFlat(unit_vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    hnsw = index.hnsw
    sizes = np.cumsum([0, *(links.shape[1] for links in layers)]).astype(np.int32)
    levels = np.ones(len(unit_vectors), np.int32)
    for layer in range(1, len(layers)):
        levels[:: STEP**layer] = layer + 1
    offsets = np.zeros(len(levels) + 1, np.uint64)
    np.cumsum(sizes[levels], out=offsets[1:])
    listed = np.full(int(offsets[-1]), -1, np.int32)
    for layer, links in enumerate(layers):
        firsts = offsets[: -1 : STEP**layer].astype(np.int64) + sizes[layer]
        for start in range(0, len(links), WORDS_AT_A_TIME):
            some = links[start : start + WORDS_AT_A_TIME]
            places = firsts[start : start + WORDS_AT_A_TIME, None] + np.arange(some.shape[1])
            listed[places] = np.where(some >= 0, some * STEP**layer, -1)
    faiss.copy_array_to_vector(sizes, hnsw.cum_nneighbor_per_level)
    faiss.copy_array_to_vector(levels, hnsw.levels)
    faiss.copy_array_to_vector(offsets, hnsw.offsets)
    hnsw.neighbors.resize(len(listed))
    faiss.memcpy(hnsw.neighbors.data(), faiss.swig_ptr(listed), listed.nbytes)
    hnsw.entry_point, hnsw.max_level = 0, len(layers) - 1
    index.referenced_objects = [share(index, unit_vectors), unit_vectors]
    return cast("faiss.IndexHNSWFlat", index)


def inserted(unit_vectors: FloatArray, report: Report) -> faiss.IndexHNSWFlat:
    """Insert word by word, as FAISS does by itself: so were graphs built that must come back as they were."""
    index = faiss.IndexHNSWFlat(unit_vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    codes = cast("faiss.IndexFlat", faiss.downcast_index(index.storage)).codes
    codes.resize(np.dtype(np.float32).itemsize * unit_vectors.size)  # else it would double, and copy itself, many times
    codes.resize(0)
    for start in range(0, len(unit_vectors), WORDS_AT_A_TIME):
        index.add(unit_vectors[start : start + WORDS_AT_A_TIME])
        report(Progress(fraction=index.ntotal / len(unit_vectors)))
    return index
