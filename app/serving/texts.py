"""Vectors of whole texts from the vectors of their words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from app.core.errors import InvalidRequest, WordkinError
from app.core.nearest import scores
from app.core.nearest.scores import FloatArray
from app.core.nearest.text_vectors import word_weights
from app.core.table.vocabulary import WordId
from app.serving.version import ServedVersion

LONG_TEXT = 2000
"""Characters from which on a text is read beside the event loop."""
MAX_TOLD = 10
"""Unknown words of one text that an error names."""


@dataclass(frozen=True, eq=False)
class TextVector:
    """`vector` float32 (dim,) of length 1, from `n_words` words, the distinct ones among them `ids`."""

    vector: FloatArray
    n_words: int
    n_tokens: int
    out_of_vocabulary: list[str]
    ids: frozenset[WordId]


@dataclass(frozen=True)
class NoVector:
    """Why a text has none. `out_of_vocabulary` are its words if the vocabulary has none of them."""

    reason: str
    n_tokens: int
    out_of_vocabulary: list[str]


async def text_vector(version: ServedVersion, text: str) -> TextVector:
    """The vector of a text.

    Raises
    ------
    WordNotFound
        The vocabulary has none of the words.
    InvalidRequest
        There is no word in it, or nothing is left of it.
    """
    found = await asyncio.to_thread(read, version, text) if len(text) > LONG_TEXT else read(version, text)
    if isinstance(found, NoVector):
        raise await refusal(version, text, found)
    return found


async def refusal(version: ServedVersion, text: str, found: NoVector) -> WordkinError:
    """What a text without a vector is refused with."""
    if found.out_of_vocabulary:
        return await version.word_not_found(found.out_of_vocabulary[:MAX_TOLD])
    return InvalidRequest(found.reason, text=text[:200])


def read(version: ServedVersion, text: str) -> TextVector | NoVector:
    """The smoothed inverse frequency mean of a text's words, less the component that all texts share.

    A single word gives its own direction: there is nothing to average, and the component is a property of texts.
    """
    words = version.text.words(text)
    if not words:
        return NoVector("There is no word in this text.", 0, [])
    found = [(word, version.lookup.find(word)) for word in words]
    ids = [word_id for _, word_id in found if word_id is not None]
    unknown = list(dict.fromkeys(word for word, word_id in found if word_id is None))
    if not ids:
        return NoVector(version.lacks(unknown[:MAX_TOLD]), len(words), unknown)
    if len(words) == 1:
        return TextVector(version.table.unit_vectors[ids[0]], 1, 1, [], frozenset(ids))
    table = version.table
    counts = table.vocabulary.counts
    vectors = table.unit_vectors[ids].astype(np.float64) * table.norms[ids].astype(np.float64)[:, None]
    mean = (word_weights(counts[ids], version.n_tokens)[:, None] * vectors).sum(axis=0) / len(ids)
    component = table.text_component.astype(np.float64)
    rest = mean - (mean * component).sum() * component
    direction = scores.direction(rest[None], [1.0])
    if direction is None:
        return NoVector("Nothing is left of this text beyond what all texts have in common.", len(words), [])
    return TextVector(direction.astype(np.float32), len(ids), len(words), unknown, frozenset(ids))
