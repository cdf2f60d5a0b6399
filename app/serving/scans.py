"""Exact questions that look at every word: filters, CSLS and 3CosMul, on the search threads.

What is filtered shares a pass with others that wait; CSLS and 3CosMul take passes of their own.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from operator import neg
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import InvalidRequest
from app.core.names import reference
from app.core.nearest import exact, scores
from app.core.nearest.proposals import Allowed
from app.core.nearest.scores import DoubleArray, FloatArray
from app.core.table.composing import Composed
from app.core.table.quantised import UnitVectors, products
from app.core.table.vocabulary import WordId
from app.serving.asking import NeighborsAsked, Ranked
from app.serving.version import ServedVersion, Term

CSLS_NEIGHBORS = 10
MARGIN = 64
SMOOTHING = 1e-3
"""Keeps 3CosMul from dividing by zero (Levy and Goldberg 2014)."""

FEW_WORDS = 64
"""So many allowed and denied words are looked up at once; more are by a search thread."""

IdArray = npt.NDArray[np.int64]


def is_unfiltered(query: NeighborsAsked) -> bool:
    """Whether all words may be answers, by their scores; the smallest score only ends the list."""
    return (
        not query.prefix
        and query.min_count == 1
        and query.max_rank is None
        and not query.allow
        and not query.deny
        and query.metric == "cosine"
    )


async def filtered(
    version: ServedVersion, query: NeighborsAsked, direction: DoubleArray, excluded: Collection[WordId]
) -> list[dict[str, Any]]:
    """Neighbours among the words that the query allows, by cosine or CSLS."""
    if query.metric == "csls":
        return await version.pool.run(lambda: _by_csls(version, query, direction, excluded))
    are_few = len(query.allow) + len(query.deny) <= FEW_WORDS
    allowed = _allowed(version, query) if are_few else await version.pool.run(lambda: _allowed(version, query))
    left_out = allowed.left_out.union(excluded)
    ids, found = await version.batcher.nearest(direction, query.k + len(left_out), allowed=allowed.words)
    kept = [(i, score) for i, score in zip(ids, found, strict=True) if i not in left_out and i >= 0]
    found_words = [{"word": version.lookup.word(i), "score": score} for i, score in kept[: query.k]]
    return reaching(query.min_score, found_words)


def reaching(min_score: float | None, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of at least this score."""
    return found if min_score is None else [answer for answer in found if answer["score"] >= min_score]


def ids_of(words: Sequence[Term | Composed]) -> set[WordId]:
    """Those that the vocabulary has; others are no answers anyway."""
    return {word.id for word in words if isinstance(word, Term)}


class _Filter(NamedTuple):
    """Which words may be answers, less some."""

    words: Allowed
    left_out: frozenset[WordId]


def _known(version: ServedVersion, words: Sequence[str]) -> list[Term]:
    """Those of the words that the vocabulary has."""
    return [term for term in map(version.term, words) if term]


def _allowed(version: ServedVersion, query: NeighborsAsked) -> _Filter:
    left_out = frozenset(term.id for term in _known(version, query.deny))
    prefix = version.as_prefix(query.prefix) if query.prefix else ""
    ids: npt.NDArray[np.integer[Any]] | None = None
    if query.allow:
        terms = _known(version, query.allow)
        ids = np.array(sorted({term.id for term in terms if term.word.startswith(prefix)}), np.int64)
    elif prefix:
        ids = version.lookup.starting_with(prefix)
    return _Filter(Allowed(_n_frequent(version, query), ids), left_out)


def _n_frequent(version: ServedVersion, query: NeighborsAsked) -> int:
    """How many of the most frequent words may be answers."""
    counts = version.table.vocabulary.counts
    if query.min_count > 1 and not version.table.manifest.counts_known:
        told = reference(version.model, version.number)
        raise InvalidRequest(f"How often words occur is not known of {told}, so min_count says nothing; use max_rank.")
    n_frequent = bisect_right(counts.data, -query.min_count, key=neg)
    return min(n_frequent, query.max_rank or n_frequent)


def _by_csls(
    version: ServedVersion, query: NeighborsAsked, direction: DoubleArray, excluded: Collection[WordId]
) -> list[dict[str, Any]]:
    """Cross-domain similarity local scaling within one table (Conneau et al. 2018).

    Only words that the neighbour table covers are candidates, because the others' neighbourhoods are not known.
    """
    means = version.neighborhood_means
    allowed = _allowed(version, query)
    left_out = allowed.left_out.union(excluded)
    named = allowed.words.named()
    ids = np.arange(min(allowed.words.n_first, len(means))) if named is None else np.sort(named[named < len(means)])
    own_ids, own_scores = exact.nearest(
        version.table.unit_vectors,
        direction[None],
        min(CSLS_NEIGHBORS + len(left_out), len(version.table.unit_vectors)),
    )
    own = [s for i, s in zip(own_ids[0].tolist(), own_scores[0].tolist(), strict=True) if i not in left_out]
    own_mean = float(np.mean(own[:CSLS_NEIGHBORS])) if own else 0.0
    cosines = _all_cosines(version.table.unit_vectors, direction, ids)
    least = _least_product(version, query.min_score)
    ids, cosines = ids[cosines >= least], cosines[cosines >= least]
    proposed = _largest(2 * cosines - means[ids], query.k + len(left_out) + MARGIN)
    ids, cosine = _scored(version, direction, ids[proposed], left_out, query.min_score)
    csls = scores.rounded(2 * cosine - own_mean - means[ids])
    order = scores.ranking(csls, ids)[: query.k]
    return [
        {"word": version.lookup.word(i), "score": score, "csls": value}
        for i, score, value in zip(ids[order].tolist(), cosine[order].tolist(), csls[order].tolist(), strict=True)
    ]


async def by_product(
    version: ServedVersion,
    asked: Ranked,
    positive: Sequence[Term | Composed],
    negative: Sequence[Term | Composed],
    direction: DoubleArray,
) -> list[dict[str, Any]]:
    """Answers by 3CosMul over the whole vocabulary (Levy and Goldberg 2014); `direction` gives their cosines."""
    return await version.pool.run(lambda: _by_product(version, asked, positive, negative, direction))


def _by_product(
    version: ServedVersion,
    asked: Ranked,
    positive: Sequence[Term | Composed],
    negative: Sequence[Term | Composed],
    direction: DoubleArray,
) -> list[dict[str, Any]]:
    unit_vectors = version.table.unit_vectors
    left_out = ids_of((*positive, *negative))
    everything = np.arange(len(unit_vectors))
    logs = np.zeros(len(unit_vectors), np.float32)
    for term, sign in [*((term, 1) for term in positive), *((term, -1) for term in negative)]:
        shifted = (1 + _all_cosines(unit_vectors, version.direction(term), everything)) / 2
        logs += sign * np.log(np.maximum(shifted, 0) + (SMOOTHING if sign < 0 else 1e-12)).astype(np.float32)
    if asked.min_score is not None:
        least = _least_product(version, asked.min_score)
        everything = everything[_all_cosines(unit_vectors, direction, everything) >= least]
    proposed = everything[_largest(logs[everything], asked.k + len(left_out) + MARGIN)]
    ids, cosine = _scored(version, direction, proposed, left_out, asked.min_score)
    product = np.ones(len(ids))
    for term in positive:
        product *= _shifted(version, term, ids)
    for term in negative:
        product /= _shifted(version, term, ids) + SMOOTHING
    product = scores.rounded(product)
    order = scores.ranking(product, ids)[: asked.k]
    return [
        {"word": version.lookup.word(i), "score": score, "product": value}
        for i, score, value in zip(ids[order].tolist(), cosine[order].tolist(), product[order].tolist(), strict=True)
    ]


def _least_product(version: ServedVersion, min_score: float | None) -> float:
    """No float32 product below this belongs to a score that is large enough."""
    return -math.inf if min_score is None else min_score - scores.slack(version.table.manifest.dim)


def _scored(
    version: ServedVersion,
    direction: DoubleArray,
    ids: IdArray,
    left_out: Collection[WordId],
    min_score: float | None,
) -> tuple[IdArray, DoubleArray]:
    """Those of the words that may be answers, and their scores."""
    ids = ids[~np.isin(ids, list(left_out))]
    cosine = scores.cosines(version.table.unit_vectors, direction, ids)
    is_enough = cosine >= (-math.inf if min_score is None else min_score)
    return ids[is_enough], cosine[is_enough]


def _shifted(version: ServedVersion, term: Term | Composed, ids: IdArray) -> DoubleArray:
    """Cosines moved to [0, 1], as 3CosMul multiplies and divides them."""
    return (1 + scores.cosines(version.table.unit_vectors, version.direction(term), ids)) / 2


def _all_cosines(unit_vectors: UnitVectors, direction: DoubleArray, ids: IdArray) -> FloatArray:
    """float32 products, good enough to propose candidates; those are scored again."""
    vectors = unit_vectors if len(ids) == len(unit_vectors) else unit_vectors[ids]
    found = np.empty(len(vectors), np.float32)
    products(vectors, direction.astype(np.float32), found)
    return found


def _largest(values: npt.NDArray[np.floating[Any]], n: int) -> IdArray:
    if n >= len(values):
        return np.arange(len(values))
    return np.sort(np.argpartition(-values, n)[:n])
