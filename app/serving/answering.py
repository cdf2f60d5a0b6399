"""The questions, answered by one version. Plain dictionaries go out, in the order in which clients read them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from app.core.errors import InvalidRequest
from app.core.nearest import scores
from app.core.nearest.scores import DECIMALS, DoubleArray
from app.core.table.manifest import GraphSearch
from app.core.table.vocabulary import WordId
from app.serving import scans
from app.serving.questions import (
    AnalogyOfWords,
    AnalogyQuery,
    NeighborsQuery,
    OddOneOutQuery,
    SimilarityQuery,
    TextVectorQuery,
    VectorQuery,
    WordsQuery,
)
from app.serving.texts import text_vector
from app.serving.version import ServedVersion

Body = dict[str, Any]


def stored_neighbors(version: ServedVersion, word: str, k: int) -> Body | None:
    """Neighbours from the table computed at publishing; None if that does not have the word, or not as many.

    Raises
    ------
    NotOneWord
    """
    table, word_id = version.table.neighbors, version.find(word)
    if word_id is None or word_id >= len(table.ids) or k > table.ids.shape[1]:
        return None
    found = zip(table.ids[word_id, :k].tolist(), table.scores[word_id, :k].tolist(), strict=True)
    return {"word": version.lookup.word(word_id), "neighbors": _words(version, found)}


async def neighbors(version: ServedVersion, query: NeighborsQuery) -> Body:
    if query.word is not None:
        (word_id,) = await version.ids([query.word])
        asked: Body = {"word": version.lookup.word(word_id)}
        direction, excluded = version.direction(word_id), [word_id]
        stored = stored_neighbors(version, query.word, query.k) if scans.is_unfiltered(query) else None
        if stored:
            return stored
    elif query.words is not None:
        ids = await version.ids(list(query.words))
        asked = {"words": {version.lookup.word(i): w for i, w in zip(ids, query.words.values(), strict=True)}}
        direction, excluded = _direction(version, ids, list(query.words.values())), ids
    else:
        asked = {"vector": query.vector}
        direction, excluded = _given_direction(version, query.vector or []), []
    if query.metric == "csls" or not scans.is_unfiltered(query):
        found = await scans.filtered(version, query, direction, excluded)
        return asked | {"neighbors": found}
    graph = version.index.for_words if query.word is not None else version.index.for_sums
    return asked | await _nearest(version, direction, excluded, query.k, None if query.exact else graph, "neighbors")


async def analogy(version: ServedVersion, query: AnalogyQuery | AnalogyOfWords) -> Body:
    if query.positive is None:
        a, b, c = await version.ids([query.a or "", query.b or "", query.c or ""])
        positive, negative = [a, c], [b]
        asked: Body = {name: version.lookup.word(i) for name, i in zip("abc", (a, b, c), strict=True)}
    else:
        ids = await version.ids([*query.positive, *query.negative])
        positive, negative = ids[: len(query.positive)], ids[len(query.positive) :]
        asked = {
            "positive": [version.lookup.word(i) for i in positive],
            "negative": [version.lookup.word(i) for i in negative],
        }
    together = [*positive, *negative]
    direction = _direction(version, together, [1.0] * len(positive) + [-1.0] * len(negative))
    if query.method == "mul":
        return asked | {"answers": await scans.by_product(version, positive, negative, direction, query.k)}
    graph = None if query.exact else version.index.for_sums
    return asked | await _nearest(version, direction, together, query.k, graph, "answers")


async def similarity(version: ServedVersion, query: SimilarityQuery) -> Body:
    sides = [[side] if isinstance(side, str) else side for side in (query.a, query.b)]
    ids = await version.ids([*sides[0], *sides[1]])
    left, right = ids[: len(sides[0])], ids[len(sides[0]) :]
    return {
        "a": _named(version, left, query.a),
        "b": _named(version, right, query.b),
        "score": scores.cosine(_mean_direction(version, left), _mean_direction(version, right)),
    }


async def vector(version: ServedVersion, query: VectorQuery) -> Body:
    (word_id,) = await version.ids([query.word])
    return {"word": version.lookup.word(word_id), "vector": encoded(version.table.vector(word_id), query.encoding)}


async def words(version: ServedVersion, query: WordsQuery) -> Body:
    prefix = version.as_prefix(query.prefix)
    ids = np.sort(version.lookup.starting_with(prefix))[: query.k] if prefix else np.arange(query.k)
    counts = version.table.vocabulary.counts
    found = [
        {"word": version.lookup.word(i), "count": int(counts[i]), "rank": i + 1}
        for i in ids.tolist()
        if i < len(counts)
    ]
    return {"prefix": prefix, "words": found}


async def odd_one_out(version: ServedVersion, query: OddOneOutQuery) -> Body:
    ids = await version.ids(query.words)
    mean = _mean_direction(version, ids)
    found = scores.cosines(version.table.unit_vectors, mean, np.array(ids)).tolist()
    listed = [{"word": version.lookup.word(i), "score": score} for i, score in zip(ids, found, strict=True)]
    odd = min(range(len(ids)), key=lambda i: (found[i], ids[i]))
    return {"odd": listed[odd]["word"], "words": listed}


async def vector_of_text(version: ServedVersion, query: TextVectorQuery) -> Body:
    found = await text_vector(version, query.text)
    return {
        "vector": encoded(found.vector, query.encoding),
        "n_words": found.n_words,
        "out_of_vocabulary": found.out_of_vocabulary,
    }


def encoded(values: scores.FloatArray, encoding: str) -> list[float] | str:
    """A float32 vector as JSON numbers, which give the same float32 back, or as base64 of its little-endian bytes."""
    if encoding == "base64":
        return base64.b64encode(values.astype("<f4").tobytes()).decode()
    numbers: list[float] = values.tolist()
    return numbers


async def _nearest(
    version: ServedVersion,
    direction: DoubleArray,
    excluded: Sequence[WordId],
    k: int,
    graph: GraphSearch | None,
    name: str,
) -> Body:
    left_out = set(excluded)
    ids, found = await version.batcher.nearest(direction, k + len(left_out), graph)
    kept = [(i, score) for i, score in zip(ids, found, strict=True) if i not in left_out and i >= 0][:k]
    body: Body = {name: _words(version, kept)}
    if graph:
        body["approximate"] = {"index": version.table.manifest.index.kind, "recall_at_10": graph.recall_at_10}
    return body


def _words(version: ServedVersion, found: Iterable[tuple[int, float]]) -> list[Body]:
    word = version.lookup.word
    # stored scores are float32; rounding again gives the very decimals that were stored
    return [{"word": word(i), "score": round(score, DECIMALS)} for i, score in found]


def _direction(version: ServedVersion, ids: Sequence[WordId], weights: Sequence[float]) -> DoubleArray:
    direction = scores.direction(version.table.unit_vectors[ids].astype(np.float64), weights)
    if direction is None:
        raise InvalidRequest("These words and weights cancel each other out; there is no direction left to search.")
    return direction


def _mean_direction(version: ServedVersion, ids: Sequence[WordId]) -> DoubleArray:
    # one word is taken as it is, so that its scores are those of its neighbours
    return version.direction(ids[0]) if len(ids) == 1 else _direction(version, ids, [1.0] * len(ids))


def _given_direction(version: ServedVersion, values: Sequence[float]) -> DoubleArray:
    dim = version.table.manifest.dim
    if len(values) != dim:
        raise InvalidRequest(f"The vector has {len(values)} numbers; this version has {dim} dimensions.")
    direction = scores.direction(np.array([values], np.float64), [1.0])
    if direction is None:
        raise InvalidRequest("The vector is zero or too long; there is no direction to search.")
    return direction


def _named(version: ServedVersion, ids: Sequence[WordId], asked: str | list[str]) -> str | list[str]:
    return version.lookup.word(ids[0]) if isinstance(asked, str) else [version.lookup.word(i) for i in ids]
