"""The questions, answered by one version: a function each, of the name that its row in `questions` has.

Plain dictionaries go out, in the order in which clients read them.
"""

from __future__ import annotations

import base64
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from app.core.errors import InvalidRequest
from app.core.names import reference
from app.core.nearest import scores
from app.core.nearest.scores import DECIMALS, DoubleArray
from app.core.table.arrays import AGREEMENT
from app.core.table.composing import Composed
from app.core.table.manifest import GraphSearch
from app.core.table.vocabulary import WordId
from app.serving import clusters, scans, texts
from app.serving.asking import (
    AnalogyOfWords,
    AnalogyQuery,
    NeighborsParameters,
    NeighborsQuery,
    OddOneOutParameters,
    OddOneOutQuery,
    Ranked,
    SensesQuery,
    SimilarityOfWords,
    SimilarityQuery,
    TextVectorQuery,
    VectorQuery,
    WordsQuery,
)
from app.serving.evidence.answering import contexts, cooccurrence, explain  # noqa: F401 (found by the names of rows)
from app.serving.version import ServedVersion, Term

Body = dict[str, Any]


class Subject(NamedTuple):
    """Whose neighbours are wanted: how the answer tells it, where it points, and the word if it is just one."""

    told: Body
    direction: DoubleArray
    left_out: Set[WordId]
    word: Term | None = None


async def neighbors(version: ServedVersion, asked: NeighborsQuery | NeighborsParameters) -> Body:
    subject = await _subject(version, asked)
    if asked.stability or asked.min_agreement:
        return subject.told | _stable_neighbors(version, asked, subject)
    if not scans.is_unfiltered(asked):
        found = await scans.filtered(version, asked, subject.direction, subject.left_out)
        return subject.told | {"neighbors": found}
    if subject.word and (stored := stored_neighbors(version, subject.word, asked.k)):
        return subject.told | {"neighbors": scans.reaching(asked.min_score, stored)}
    graph = version.index.for_words if subject.word else version.index.for_sums
    found = await _nearest(version, asked, subject.direction, subject.left_out, graph)
    return subject.told | {"neighbors": found} | _approximation(version, asked, graph)


async def _subject(version: ServedVersion, asked: NeighborsQuery | NeighborsParameters) -> Subject:
    if asked.word is not None:
        (term,) = await version.words([asked.word], asked.oov)
        if isinstance(term, Composed):
            return Subject(told_composed(term), term.direction, set())
        return Subject(told_term(term), version.direction(term), {term.id}, term)
    if asked.words is not None:
        found = await version.words(list(asked.words), asked.oov)
        summed: dict[str, float] = {}
        for term, weight in zip(found, asked.words.values(), strict=True):
            summed[term.word] = summed.get(term.word, 0.0) + weight
        terms, weights = list({term.word: term for term in found}.values()), list(summed.values())
        first = terms[0]
        word = first if len(terms) == 1 and weights[0] > 0 and isinstance(first, Term) else None
        told: Body = {"words": summed} | told_among(terms)
        return Subject(told, _direction(version, terms, weights), scans.ids_of(terms), word)
    if asked.text is not None:
        text = await texts.text_vector(version, asked.text, asked.oov)
        told = {"text": asked.text, "missing": text.out_of_vocabulary} | composed_among(text.composed)
        return Subject(told, text.vector.astype(np.float64), text.ids)
    return Subject({"vector": asked.vector}, _given_direction(version, asked.vector or []), set())


def stored_neighbors(version: ServedVersion, term: Term, k: int) -> list[Body] | None:
    """From the table that was computed at publishing; None if that does not have the word, or not as many."""
    table = version.table.neighbors
    if term.id >= len(table.ids) or k > table.ids.shape[1]:
        return None
    return _words(version, zip(table.ids[term.id, :k].tolist(), table.scores[term.id, :k].tolist(), strict=True))


def _stable_neighbors(version: ServedVersion, asked: NeighborsQuery | NeighborsParameters, subject: Subject) -> Body:
    """Stored neighbours with the number of trainings that found each.

    Raises
    ------
    InvalidRequest
        That is not stored, or not of this.
    """
    agreement = version.table.arrays.get(AGREEMENT)
    if agreement is None:
        told = reference(version.model, version.number)
        raise InvalidRequest(f"{told} was trained once: train with `replicas` to know which neighbours are chance.")
    if subject.word is None or not scans.is_unfiltered(asked):
        raise InvalidRequest("`stability` and `min_agreement` are of the neighbours of one word, without filters.")
    n_covered, n_stored = agreement.shape
    if subject.word.id >= n_covered or asked.k > n_stored:
        raise InvalidRequest(f"The agreement is stored for {n_stored} neighbours of the first {n_covered:,} words.")
    counts = agreement[subject.word.id]
    kept = np.flatnonzero(counts >= (asked.min_agreement or 1))[: asked.k]
    table = version.table.neighbors
    ids, found = (array[subject.word.id][kept].tolist() for array in (table.ids, table.scores))
    words = _words(version, zip(ids, found, strict=True))
    listed = [word | {"agreement": n} for word, n in zip(words, counts[kept].tolist(), strict=True)]
    replicas = version.table.manifest.metrics["stability"]["replicas"]
    return {"neighbors": scans.reaching(asked.min_score, listed), "replicas": replicas}


async def analogy(version: ServedVersion, asked: AnalogyQuery | AnalogyOfWords) -> Body:
    if asked.positive is None:
        a, b, c = await version.words([asked.a or "", asked.b or "", asked.c or ""], asked.oov)
        positive, negative = [a, c], [b]
        body: Body = {name: term.word for name, term in zip("abc", (a, b, c), strict=True)}
    else:
        terms = await version.words([*asked.positive, *asked.negative], asked.oov)
        positive, negative = terms[: len(asked.positive)], terms[len(asked.positive) :]
        body = {"positive": [term.word for term in positive], "negative": [term.word for term in negative]}
    together = [*positive, *negative]
    body |= told_among(together)
    direction = _direction(version, together, [1.0] * len(positive) + [-1.0] * len(negative))
    if asked.method == "mul":
        return body | {"answers": await scans.by_product(version, asked, positive, negative, direction)}
    graph = version.index.for_sums
    found = await _nearest(version, asked, direction, scans.ids_of(together), graph)
    return body | {"answers": found} | _approximation(version, asked, graph)


async def similarity(version: ServedVersion, asked: SimilarityQuery | SimilarityOfWords) -> Body:
    sides = [[side] if isinstance(side, str) else side for side in (asked.a, asked.b)]
    terms = await version.words([*sides[0], *sides[1]], asked.oov)
    left, right = terms[: len(sides[0])], terms[len(sides[0]) :]
    return {
        "a": _named(left, asked.a),
        "b": _named(right, asked.b),
        "score": scores.cosine(_mean_direction(version, left), _mean_direction(version, right)),
    } | told_among(terms)


async def vector(version: ServedVersion, asked: VectorQuery) -> Body:
    (term,) = await version.words([asked.word], asked.oov)
    if isinstance(term, Composed):
        made = numbers(term.vector.astype(np.float32), asked.encoding)
        return told_composed(term) | {"rank": None, "vector": made}
    return told_term(term) | {"rank": term.id + 1, "vector": numbers(version.table.vector(term.id), asked.encoding)}


async def words(version: ServedVersion, asked: WordsQuery) -> Body:
    prefix = version.as_prefix(asked.prefix)
    counts, is_known = version.table.vocabulary.counts, version.table.manifest.counts_known
    ids = np.sort(version.lookup.starting_with(prefix)) if prefix else range(len(counts))
    start = bisect_left(ids, await _rank(version, asked.after)) if asked.after else 0
    page = [int(i) for i in ids[start : start + asked.k]]
    told = {i: int(counts[i]) if is_known else None for i in page}
    found = [{"word": version.lookup.word(i), "count": count, "rank": i + 1} for i, count in told.items()]
    return {"prefix": prefix, "words": found, "next": found[-1]["word"] if start + asked.k < len(ids) else None}


async def _rank(version: ServedVersion, word: str) -> int:
    """Of a word as the vocabulary spells it, or as a user does; the id of the word behind it."""
    word_id = version.lookup.find(word)
    if word_id is None:
        ((_, word_id, _),) = await version.terms([word])
    return word_id + 1


async def odd_one_out(version: ServedVersion, asked: OddOneOutQuery | OddOneOutParameters) -> Body:
    terms = await version.words(asked.words, asked.oov)
    mean = _mean_direction(version, terms)
    found = [scores.cosine(version.direction(term), mean) for term in terms]
    listed = [{"word": term.word, "score": score} for term, score in zip(terms, found, strict=True)]
    order = [term.id if isinstance(term, Term) else math.inf for term in terms]
    odd = min(range(len(terms)), key=lambda i: (found[i], order[i]))
    return {"odd": listed[odd]["word"], "words": listed} | told_among(terms)


async def senses(version: ServedVersion, asked: SensesQuery) -> Body:
    (term,) = await version.terms([asked.word])
    graph = None if asked.exact else version.index.for_words
    found = await version.pool.run(lambda: clusters.senses(version, term.id, asked.k, graph))
    body: Body = told_term(term) | {"senses": found.senses}
    return body if found.is_stored else body | _approximation(version, asked, graph)


async def text_vector(version: ServedVersion, asked: TextVectorQuery) -> Body:
    found = await texts.text_vector(version, asked.text, asked.oov)
    return {
        "vector": numbers(found.vector, asked.encoding),
        "n_words": found.n_words,
        "out_of_vocabulary": found.out_of_vocabulary,
    } | composed_among(found.composed)


def told_term(term: Term) -> Body:
    """A word of the vocabulary; how it was found, unless it stands there as it was asked."""
    return {"word": term.word} if term.step == "exact" else {"word": term.word, "matched": term.step}


def told_composed(word: Composed) -> Body:
    """What an answer says of a word that the vocabulary lacks."""
    told: Body = {"word": word.word, "in_vocabulary": False, "composed_from": word.composed_from}
    return told if word.confidence is None else told | {"confidence": word.confidence}


def composed_among(words: Sequence[Term | Composed]) -> Body:
    """The member that says it of several words, if there are such ones."""
    composed = {word.word: word for word in words if isinstance(word, Composed)}
    return {"composed": [told_composed(word) for word in composed.values()]} if composed else {}


def told_among(words: Sequence[Term | Composed]) -> Body:
    """The members that say how several words were found, for those that do not stand there as they were asked."""
    steps = {word.word: word.step for word in words if isinstance(word, Term) and word.step != "exact"}
    return ({"matched": steps} if steps else {}) | composed_among(words)


def numbers(values: scores.FloatArray, encoding: str) -> list[float] | str:
    """A float32 vector as JSON numbers, which give the same float32 back, or as base64 of its little-endian bytes."""
    if encoding == "base64":
        return base64.b64encode(values.astype("<f4").tobytes()).decode()
    listed: list[float] = values.tolist()
    return listed


async def _nearest(
    version: ServedVersion,
    asked: Ranked,
    direction: DoubleArray,
    excluded: Set[WordId],
    graph: GraphSearch | None,
) -> list[Body]:
    ids, found = await version.batcher.nearest(direction, asked.k + len(excluded), None if asked.exact else graph)
    kept = [(i, score) for i, score in zip(ids, found, strict=True) if i not in excluded and i >= 0][: asked.k]
    return scans.reaching(asked.min_score, _words(version, kept))


def _approximation(version: ServedVersion, asked: Ranked | SensesQuery, graph: GraphSearch | None) -> Body:
    """The member that says so if an approximate index has answered."""
    if graph is None or asked.exact:
        return {}
    return {"approximate": {"index": version.table.manifest.index.kind, "recall_at_10": graph.recall_at_10}}


def _words(version: ServedVersion, found: Iterable[tuple[int, float]]) -> list[Body]:
    word = version.lookup.word
    # stored scores are float32; rounding again gives the very decimals that were stored
    return [{"word": word(i), "score": round(score, DECIMALS)} for i, score in found]


def _direction(version: ServedVersion, terms: Sequence[Term | Composed], weights: Sequence[float]) -> DoubleArray:
    if len(terms) == 1 and weights[0] > 0:  # taken as it is, so that its scores are those of its neighbours
        return version.direction(terms[0])
    direction = scores.direction(np.stack([version.direction(term) for term in terms]), weights)
    if direction is None:
        raise InvalidRequest("These words and weights cancel each other out; there is no direction left to search.")
    return direction


def _mean_direction(version: ServedVersion, terms: Sequence[Term | Composed]) -> DoubleArray:
    return _direction(version, terms, [1.0] * len(terms))


def _given_direction(version: ServedVersion, values: Sequence[float]) -> DoubleArray:
    dim = version.table.manifest.dim
    if len(values) != dim:
        raise InvalidRequest(f"The vector has {len(values)} numbers; this version has {dim} dimensions.")
    direction = scores.direction(np.array([values], np.float64), [1.0])
    if direction is None:
        raise InvalidRequest("The vector is zero or too long; there is no direction to search.")
    return direction


def _named(terms: Sequence[Term | Composed], asked: str | list[str]) -> str | list[str]:
    return terms[0].word if isinstance(asked, str) else [term.word for term in terms]
