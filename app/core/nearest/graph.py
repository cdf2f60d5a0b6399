"""A graph of FAISS over the vectors of a table, which it finds in the table and does not copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.core.table.arrays import FloatArray

if TYPE_CHECKING:
    import faiss


def share(graph: faiss.IndexHNSW, unit_vectors: FloatArray) -> faiss.IndexFlat:
    """Let a graph without vectors of its own find them here; what is returned must live as long as the graph.

    Parameters
    ----------
    graph : without storage
    unit_vectors : float32 (n_words, dim), C-contiguous, all words of the graph; must live as long
    """
    import faiss  # noqa: PLC0415 (12 MB and up to 0.2 s that only large vocabularies need)

    storage = faiss.IndexFlatIP(unit_vectors.shape[1])  # whose own constructors would copy
    storage.ntotal = len(unit_vectors)
    codes, address = storage.codes, faiss.swig_ptr(unit_vectors.view(np.uint8))
    codes.is_owned = False
    codes.view_data = codes.c_ptr = address
    codes.view_size = codes.c_size = unit_vectors.nbytes
    graph.storage, graph.own_fields, graph.ntotal = storage, False, len(unit_vectors)
    return storage
