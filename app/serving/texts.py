"""Vectors of whole texts from the vectors of their words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.errors import InvalidRequest, WordkinError
from app.core.nearest import scores
from app.core.nearest.scores import DoubleArray, FloatArray
from app.core.nearest.text_vectors import word_weights
from app.core.oov import Oov
from app.core.table.composing import FEW_CHARACTERS, Composed, PieceComposer
from app.core.table.tokenised import TokenComposer
from app.core.table.vocabulary import WordId
from app.serving.version import ServedVersion

LONG_TEXT = 2000
"""Characters from which on a text is read beside the event loop."""
MAX_TOLD = 10
"""Unknown words of one text that an error names."""


@dataclass(frozen=True, eq=False)
class TextVector:
    """`vector` float32 (dim,) of length 1, from `n_words` words; `ids` are those of the vocabulary."""

    vector: FloatArray
    n_words: int
    n_tokens: int
    out_of_vocabulary: list[str]
    ids: frozenset[WordId]
    composed: tuple[Composed, ...] = ()


@dataclass(frozen=True)
class NoVector:
    """Why a text has none. `out_of_vocabulary` are its words if the vocabulary has none of them."""

    reason: str
    n_tokens: int
    out_of_vocabulary: list[str]


async def text_vector(version: ServedVersion, text: str, oov: Oov = "compose") -> TextVector:
    """The vector of a text.

    Raises
    ------
    WordNotFound
        There is no vector of any of the words.
    InvalidRequest
        There is no word in it, or nothing is left of it.
    """
    is_short = len(text) <= short_text(version)
    found = read(version, text, oov) if is_short else await version.pool.beside(lambda: read(version, text, oov))
    if isinstance(found, NoVector):
        raise await refusal(version, text, found)
    return found


def short_text(version: ServedVersion) -> int:
    """Characters up to which a text is read on the event loop."""
    return FEW_CHARACTERS if version.composer else LONG_TEXT


async def refusal(version: ServedVersion, text: str, found: NoVector) -> WordkinError:
    """What a text without a vector is refused with."""
    if found.out_of_vocabulary:
        return await version.word_not_found(found.out_of_vocabulary[:MAX_TOLD])
    return InvalidRequest(found.reason, text=text[:200])


def read(version: ServedVersion, text: str, oov: Oov) -> TextVector | NoVector:
    """The smoothed inverse frequency mean of a text's words, less the component that all texts share.

    Words that the vocabulary lacks are composed, if that is wanted and can be. A single word gives its own direction:
    there is nothing to average, and the component is a property of texts. A table of tokens is read as Model2Vec does.
    """
    if oov == "compose" and isinstance(version.composer, PieceComposer):
        return _mean_of_tokens(version, version.composer, text)
    words = version.text.words(text)
    if not words:
        return NoVector("There is no word in this text.", 0, [])
    found = [(word, version.lookup.find(word)) for word in words]
    ids = [word_id for _, word_id in found if word_id is not None]
    lacking = [word for word, word_id in found if word_id is None]
    composed = _composed(version, lacking) if oov == "compose" else {}
    unknown = list(dict.fromkeys(word for word in lacking if word not in composed))
    added = [composed[word] for word in lacking if word in composed]
    if not ids and not added:
        return NoVector(version.lacks(unknown[:MAX_TOLD]), len(words), unknown)
    rest = tuple(composed.values())
    if len(words) == 1:
        own = added[0].direction.astype(np.float32) if added else version.table.unit_vectors[ids[0]]
        return TextVector(own, 1, 1, [], frozenset(ids), rest)
    direction = _smoothed(version, ids, added)
    if direction is None:
        return NoVector("Nothing is left of this text beyond what all texts have in common.", len(words), [])
    n_words = len(ids) + len(added)
    return TextVector(direction.astype(np.float32), n_words, len(words), unknown, frozenset(ids), rest)


def _composed(version: ServedVersion, words: list[str]) -> dict[str, Composed]:
    """Those of the words that the version can compose; what a tokenizer has made is not cut again."""
    composer = version.composer
    if composer is None:
        return {}
    compose = composer.compose_token if isinstance(composer, TokenComposer) else composer.compose
    found = {word: compose(word) for word in dict.fromkeys(words)}
    return {word: composed for word, composed in found.items() if composed}


def _smoothed(version: ServedVersion, ids: list[WordId], composed: list[Composed]) -> DoubleArray | None:
    """Composed words weigh 1, as words that never occur."""
    table = version.table
    vectors = table.unit_vectors[ids].astype(np.float64) * table.norms[ids].astype(np.float64)[:, None]
    total = (word_weights(table.vocabulary.counts[ids], version.n_tokens)[:, None] * vectors).sum(axis=0)
    if composed:
        total += np.sum([word.vector for word in composed], axis=0)
    mean = total / (len(ids) + len(composed))
    component = table.text_component.astype(np.float64)
    rest = mean - (mean * component).sum() * component
    return scores.direction(rest[None], [1.0])


def _mean_of_tokens(version: ServedVersion, composer: PieceComposer, text: str) -> TextVector | NoVector:
    cut = composer.cut(text)
    unknown = [word for part in cut.unknown for word in version.text.words(part)]
    if not len(cut.vectors):
        told = version.lacks(unknown[:MAX_TOLD]) if unknown else "There is no word in this text."
        return NoVector(told, cut.n_tokens, unknown)
    direction = scores.direction(cut.vectors.mean(axis=0)[None], [1.0])
    if direction is None:
        return NoVector("The tokens of this text cancel each other out.", cut.n_tokens, [])
    return TextVector(direction.astype(np.float32), len(cut.vectors), cut.n_tokens, unknown, cut.ids)
