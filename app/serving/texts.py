"""Vectors of whole texts from the vectors of their words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from app.core.errors import InvalidRequest
from app.core.nearest import scores
from app.core.nearest.scores import FloatArray
from app.core.nearest.text_vectors import word_weights
from app.serving.version import ServedVersion

LONG_TEXT = 2000
"""Characters from which on a text is read beside the event loop."""


@dataclass(frozen=True, eq=False)
class TextVector:
    """`vector` float32 (dim,) of length 1, from `n_words` words."""

    vector: FloatArray
    n_words: int
    n_tokens: int
    out_of_vocabulary: list[str]


async def text_vector(version: ServedVersion, text: str) -> TextVector:
    """The smoothed inverse frequency mean of a text's words, less the component that all texts share.

    A single word gives its own direction: there is nothing to average, and the component is a property of texts.

    Raises
    ------
    WordNotFound
        The vocabulary has none of the words.
    InvalidRequest
        There is no word in it.
    """
    words = await asyncio.to_thread(version.text.words, text) if len(text) > LONG_TEXT else version.text.words(text)
    if not words:
        raise InvalidRequest("There is no word in this text.", text=text[:200])
    found = [(word, version.lookup.find(word)) for word in words]
    ids = [word_id for _, word_id in found if word_id is not None]
    unknown = list(dict.fromkeys(word for word, word_id in found if word_id is None))
    if not ids:
        raise await version.word_not_found(unknown[:10])
    if len(words) == 1:
        return TextVector(version.table.unit_vectors[ids[0]], 1, 1, [])
    table = version.table
    counts = table.vocabulary.counts
    vectors = table.unit_vectors[ids].astype(np.float64) * table.norms[ids].astype(np.float64)[:, None]
    mean = (word_weights(counts[ids], version.n_tokens)[:, None] * vectors).sum(axis=0) / len(ids)
    component = table.text_component.astype(np.float64)
    rest = mean - (mean * component).sum() * component
    direction = scores.direction(rest[None], [1.0])
    if direction is None:
        raise InvalidRequest("Nothing is left of this text beyond what all texts have in common.", text=text[:200])
    return TextVector(direction.astype(np.float32), len(ids), len(words), unknown)
