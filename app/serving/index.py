"""Nearest rows of one table: exactly, or through the index that was published with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from app.core.errors import TableDamaged
from app.core.nearest import exact
from app.core.nearest.graph import share
from app.core.nearest.proposals import Allowed
from app.core.nearest.scores import DoubleArray
from app.core.table.manifest import INDEX_FILE, GraphSearch
from app.core.table.reading import Table

if TYPE_CHECKING:
    import faiss

SMALLEST_FETCH = 16


def fetch_size(k: int) -> int:
    """How many candidates to fetch for the `k` best: steps, so that queries of different k can share a batch.

    Depends on the query alone, because an approximate index answers differently when it is asked for more.
    """
    return max(SMALLEST_FETCH, 1 << (k - 1).bit_length())


@dataclass(frozen=True, eq=False)
class Index:
    """Searches for many directions at once; safe to call from several threads.

    Parameters
    ----------
    table : Table
    graph : the approximate index, or None where a scan is fast enough
    storage : where the graph finds vectors, if not in itself; kept alive with it
    """

    table: Table
    graph: faiss.IndexHNSW | None
    storage: faiss.IndexFlat | None = None

    @cached_property
    def for_words(self) -> GraphSearch | None:
        """How the graph finds neighbours of words; None: by a scan."""
        index = self.table.manifest.index
        if self.graph is None:
            return None
        return GraphSearch(
            ef_search=int(index.parameters["ef_search"]),
            recall_at_10=index.recall_at_10,
            query_milliseconds=index.query_milliseconds,
        )

    @property
    def for_sums(self) -> GraphSearch | None:
        """How the graph finds what is near to sums of words and to any other vectors; None: by a scan."""
        return self.table.manifest.index.sums

    def nearest(
        self, directions: DoubleArray, k: int, graph: GraphSearch | None, allowed: Sequence[Allowed | None] = ()
    ) -> tuple[npt.NDArray[np.int64], DoubleArray]:
        """Ids and scores, (n, k) each, best first; where fewer are found, the last ids are -1.

        Parameters
        ----------
        directions : float64 (n, dim), each of length 1
        k : a `fetch_size`, or smaller
        graph : how to search the graph, one of `for_words` and `for_sums`; None scans
        allowed : which words each direction may find, None for all; for scans alone
        """
        k = min(k, len(self.table.unit_vectors))
        if graph is None or self.graph is None:
            return exact.nearest(self.table.unit_vectors, directions, k, allowed)
        import faiss  # noqa: PLC0415 (see open_index)

        faiss.omp_set_num_threads(1)  # of the calling thread
        effort = faiss.SearchParametersHNSW(efSearch=max(graph.ef_search, k))  # type: ignore[attr-defined] # made at run time
        _, candidates = self.graph.search(directions.astype(np.float32), k, params=effort)
        queries, places = np.nonzero(candidates >= 0)
        return exact.best(self.table.unit_vectors, directions, queries, candidates[queries, places], k)


def open_index(table: Table) -> Index:
    """Read the published index, if there is one.

    Raises
    ------
    TableDamaged
        It cannot be read, or does not belong to the table.
    """
    if table.manifest.index.kind == "flat":
        return Index(table, None)
    import faiss  # noqa: PLC0415 (12 MB and up to 0.2 s that only large vocabularies need)

    try:
        content = np.fromfile(table.index_file, np.uint8)
        if hashlib.sha256(content.data).hexdigest() != table.manifest.files[INDEX_FILE].sha256:
            raise TableDamaged(f"{INDEX_FILE} has changed since its digest was verified.")
        graph = cast("faiss.IndexHNSW", faiss.deserialize_index(content))
    except (OSError, RuntimeError) as error:
        raise TableDamaged(f"{INDEX_FILE} is no index that FAISS reads.") from error
    if graph.ntotal != table.manifest.n_words or graph.d != table.manifest.dim:
        raise TableDamaged("The index does not belong to the table.")
    if graph.storage is not None:  # published before graphs shared the table's vectors
        return Index(table, graph)
    return Index(table, graph, share(graph, table.unit_vectors))
