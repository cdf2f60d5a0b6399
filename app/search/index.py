"""Nearest rows of one table: exactly, or through the index that was published with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from app.core import exact
from app.core.errors import TableDamaged
from app.core.scores import DoubleArray
from app.core.table import Table

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
    """

    table: Table
    graph: faiss.IndexHNSW | None

    def nearest(self, directions: DoubleArray, k: int, *, exactly: bool) -> tuple[npt.NDArray[np.int64], DoubleArray]:
        """Ids and scores, (n, k) each, best first; a graph may find fewer, then the last ids are -1.

        Parameters
        ----------
        directions : float64 (n, dim), each of length 1
        k : a `fetch_size`, or smaller
        exactly : scan even if there is a graph
        """
        k = min(k, len(self.table.unit_vectors))
        if exactly or self.graph is None:
            return exact.nearest(self.table.unit_vectors, directions, k)
        return self._approximately(self.graph, directions, k)

    def _approximately(
        self, graph: faiss.IndexHNSW, directions: DoubleArray, k: int
    ) -> tuple[npt.NDArray[np.int64], DoubleArray]:
        import faiss  # noqa: PLC0415 (see open_index)

        faiss.omp_set_num_threads(1)  # of the calling thread
        ef_search = max(int(self.table.manifest.index.parameters["ef_search"]), k)
        _, candidates = graph.search(
            directions.astype(np.float32),
            k,
            params=faiss.SearchParametersHNSW(efSearch=ef_search),  # type: ignore[attr-defined] # made at run time
        )
        queries, places = np.nonzero(candidates >= 0)
        return exact.best(self.table.unit_vectors, directions, queries, candidates[queries, places], k)


def open_index(table: Table) -> Index:
    """Map the published index, if there is one.

    Raises
    ------
    TableDamaged
        It cannot be read, or does not belong to the table.
    """
    if table.manifest.index.kind == "flat":
        return Index(table, None)
    # A fifth of the start and of the memory, which only large vocabularies need
    import faiss  # noqa: PLC0415

    try:
        graph = faiss.read_index(str(table.index_file), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise TableDamaged(f"The index cannot be read: {error}") from error
    if graph.ntotal != table.manifest.n_words or graph.d != table.manifest.dim:
        raise TableDamaged("The index does not belong to the table.")
    return Index(table, cast("faiss.IndexHNSW", graph))
