"""Fewer bytes a vector: how many of the nearest words stay the nearest is measured, and told."""

from __future__ import annotations

import numpy as np

from app.core.nearest import exact
from app.core.steps import Quantise
from app.core.table.quantised import Quantised
from app.core.table.quantised import quantise as codes_of
from app.core.table.writing import normalise
from trainer.deriving.working import Facts, Sources, Working

N_QUERIES = 1000
K = 10


def quantise(work: Working, step: Quantise, _: Sources) -> Facts:
    """Have the vectors stored in fewer bytes; recall@10 is of words drawn evenly from the whole vocabulary."""
    work.encoding = step.to
    unit, _norms = normalise(work.vectors)
    quantised = Quantised(codes_of(unit, step.to))
    n_words = len(unit)
    ids = np.unique(np.linspace(0, n_words - 1, min(N_QUERIES, n_words)).astype(np.int64))
    k = min(K, n_words - 1)
    before, after = (exact.nearest_others(rows, ids, k)[0] for rows in (unit, quantised))
    recall = float((before[:, :, None] == after[:, None, :]).any(axis=2).mean()) if k else 1.0
    return {
        "recall_at_10": round(recall, 4),
        "n_queries": len(ids),
        "vector_bytes_before": unit.nbytes,
        "vector_bytes": quantised.codes.nbytes,
    }
