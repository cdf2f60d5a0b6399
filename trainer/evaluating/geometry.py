"""How vectors lie, without questions: figures that tell of a bad space before anybody asks it anything."""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

from app.core.evaluation.results import Geometry
from app.core.nearest.exact import are_others
from app.core.table.arrays import FloatArray

N_WORDS = 20_000
N_PAIRS = 100_000
N_NEAREST = 10
Floats = npt.NDArray[np.float64]


def geometry(unit_vectors: FloatArray, norms: FloatArray) -> Geometry:
    """Of the most frequent `N_WORDS`, which are also the only neighbours that are looked at.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), the most frequent first
    norms : float32 (n_words,), lengths as they were
    """
    unit, lengths = unit_vectors[:N_WORDS], norms[:N_WORDS].astype(np.float64)
    n_words = len(unit)
    vectors = unit.astype(np.float64) * lengths[:, None]
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.cov(vectors, rowvar=False)))
    often = _times_among_nearest(unit)
    spread = often.std()
    skew = float((((often - often.mean()) / spread) ** 3).mean()) if spread else 0.0
    ranks = np.log(np.arange(1, n_words + 1))
    correlation = float(np.corrcoef(lengths, ranks)[0, 1]) if lengths.std() else None
    return Geometry(
        n_words=n_words,
        dim=unit.shape[1],
        mean_cosine=_mean_cosine(unit),
        participation_ratio=float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum()),
        isotropy=_isotropy(unit.astype(np.float64)),
        hubness_skew=skew,
        antihubs=float((often == 0).mean()),
        norm_rank_correlation=correlation,
    )


def _mean_cosine(unit: FloatArray) -> float:
    generator = np.random.default_rng(0)
    a, b = generator.integers(len(unit), size=(2, N_PAIRS))
    a, b = a[a != b], b[a != b]
    return float(np.einsum("ij,ij->i", unit[a], unit[b], dtype=np.float64).mean()) if len(a) else 1.0


def _isotropy(unit: Floats) -> float:
    """The least by the greatest of Z(c), the sum of exp(c.w) over all words, for the principal axes c either way."""
    _, axes = np.linalg.eigh(unit.T @ unit)
    along = unit @ axes
    sums = [np.logaddexp.reduce(sign * along, axis=0) for sign in (1, -1)]
    return float(np.exp(np.min(sums) - np.max(sums)))


def _times_among_nearest(unit: FloatArray) -> Floats:
    """How many words have each one among their `N_NEAREST`."""
    k = min(N_NEAREST, len(unit) - 1)
    _, ids = faiss.knn(unit, unit, k + 1, metric=faiss.METRIC_INNER_PRODUCT)
    often = np.bincount(ids[are_others(ids, np.arange(len(unit)))], minlength=len(unit))
    return often.astype(np.float64)
